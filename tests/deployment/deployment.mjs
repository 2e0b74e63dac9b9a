// Holds docker/kubernetes to Kubernetes' schemas, and what docker/monitoring asks Prometheus to PromQL's grammar:
// node deployment.mjs DOCKER
// SPDX-License-Identifier: MIT
//
// A schema says what is required and of which form; TypeScript, for which the manifests are written out as literals of
// the schemas' types, says which names there are.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { parser } from '@prometheus-io/lezer-promql';
import { parseAllDocuments } from 'yaml';

const docker = process.argv[2], here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
let passed = 0, failed = 0;

function check(title, test) {
  try {
    test();
    passed++;
    console.log(`  ok ${title}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${title}\n    ${String(error.stdout ?? error.message).replaceAll('\n', '\n    ')}`);
  }
}

function readDocuments(path) {
  return parseAllDocuments(readFileSync(path, 'utf8'), { strict: true, uniqueKeys: true }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

// ---- Manifests ----

const folder = join(docker, 'kubernetes');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort();
const manifests = files.flatMap((file) => readDocuments(join(folder, file)).map((content) => ({ file, content })));

const isOf = (group) => ({ content }) => content.apiVersion.startsWith(group);
const typed = manifests.filter((one) => !isOf('kustomize.')(one));
const source = ({ content }) =>
  isOf('serving.kserve.io')({ content }) ? './kserve' : `kubernetes-models/${content.apiVersion}`;

for (const { file, content } of typed.filter((one) => !isOf('serving.kserve.io')(one))) {
  const model = (await import(source({ content })))[content.kind];
  check(`${file}: ${content.kind} is as its schema says`, () => new model(content).validate());
}

const literals = typed.map((one, index) => `import type { I${one.content.kind} as Type${index} } from '${source(one)}';
export const manifest${index}: Type${index} = ${JSON.stringify(one.content)}; // ${one.file}\n`);
writeFileSync(join(here, 'manifests.ts'), literals.join(''));
check(`${typed.length} manifests have no name that there is not`, () =>
  execFileSync(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '--noEmit', '--strict',
    '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler', join(here, 'manifests.ts')]));

for (const { file, content } of manifests.filter(isOf('kustomize.')))
  check(`${file} has all resources but its own and KServe's`, () => {
    const expected = files.filter((name) => name !== file && name !== 'serving-runtime.yaml').join();
    const actual = [...content.resources].sort().join();
    if (actual !== expected) throw new Error(`it has ${actual}, expected ${expected}`);
  });

// ---- PromQL ----

function parse(expression) {
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`'${expression}' is wrong at ${node.from}`);
    }
  });
}

const dashboard = JSON.parse(readFileSync(join(docker, 'monitoring/dashboard.json'), 'utf8'));
const expressions = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => target.expr));
check(`${expressions.length} expressions of the dashboard are PromQL`, () => {
  if (expressions.length === 0) throw new Error('there are none');
  expressions.forEach((each) => parse(each.replaceAll('$__rate_interval', '5m')));
});
check('the panels of the dashboard have numbers of their own and places that do not overlap', () => {
  const places = dashboard.panels.map(({ id, gridPos: { x, y, w, h } }) => ({ id, x, y, right: x + w, bottom: y + h }));
  if (new Set(places.map(({ id }) => id)).size !== places.length) throw new Error('a number stands twice');
  for (const one of places)
    for (const other of places)
      if (one.id < other.id && one.x < other.right && other.x < one.right && one.y < other.bottom && other.y < one.bottom)
        throw new Error(`${one.id} and ${other.id} overlap`);
});
const [{ groups }] = readDocuments(join(docker, 'monitoring/rules.yaml'));
const rules = groups.flatMap((group) => group.rules);
check(`${rules.length} rules are PromQL`, () => rules.forEach((rule) => parse(rule.expr)));

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
