// Lints a daemon's OpenAPI document, and validates what the cases ask and are answered by it:
//
//     LAYERD_URL=http://127.0.0.1:8080 node validate.mjs tests/cases
//
// SPDX-License-Identifier: MIT
//
// Judged are: the linter's findings; each case's request that is answered with 200; each reply, problems too; for
// each case answered with 200 also its replies in every form of output and as a dry run; every document that GET
// reads. So that a schema which accepts anything is noticed, replies are damaged and must then be refused.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import redocly from '@redocly/openapi-core';
import ajv2020 from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

const url = process.env.LAYERD_URL;
const folder = process.argv[2];
const SHOWN = 10; // failures of each kind of check
const counts = new Map(); // of each kind of check: {passed, failed}
let failed = 0;

function judge(kind, name, errors) {
  const count = counts.get(kind) ?? counts.set(kind, { passed: 0, failed: 0 }).get(kind);
  if (errors.length === 0) {
    count.passed++;
    return;
  }
  failed++;
  if (count.failed++ === SHOWN) console.log(`[  FAILED  ] ${kind}: more`);
  if (count.failed > SHOWN) return;
  console.log(`[  FAILED  ] ${kind}: ${name}`);
  for (const error of errors.slice(0, 12)) console.log(`    ${error}`);
}

// ---- The document -------------------------------------------------------------------------------

async function lint(text) {
  const config = await redocly.createConfig({ extends: ['recommended-strict'] });
  const problems = await redocly.lintFromString({ source: text, absoluteRef: `${url}/openapi.json`, config });
  judge('the document, linted', 'openapi.json',
    problems.map((one) => `${one.ruleId} at ${one.location[0]?.pointer}: ${one.message}`));
}

const pointed = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');

// A function that validates by the schema at a place in the document and returns what is wrong.
function makeSchemas(root) {
  const ajv = new (ajv2020.default ?? ajv2020)({ allErrors: true, strict: true, strictRequired: false });
  (ajvFormats.default ?? ajvFormats)(ajv);
  for (const word of [...Object.keys(root), 'example']) ajv.addKeyword(word);
  ajv.addSchema(root, 'document');
  const compiled = new Map();
  return (pointer, value) => {
    if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile({ $ref: `document#${pointer}` }));
    const check = compiled.get(pointer);
    return check(value) ? [] : check.errors.map((one) => `${one.instancePath || '/'} ${one.message} ` +
      `${JSON.stringify(one.params)} by ${one.schemaPath}`);
  };
}

// Where the schema of a reply stands; undefined if the document does not have such a reply.
function replySchema(root, path, method, status, type) {
  let pointer = `/paths/${pointed(path)}/${method}/responses/${status}`;
  let response = root.paths[path]?.[method]?.responses[status];
  if (response?.$ref !== undefined) {
    pointer = response.$ref.slice(1);
    response = root.components.responses[status];
  }
  return response?.content[type]?.schema && `${pointer}/content/${pointed(type)}/schema`;
}

// ---- The service --------------------------------------------------------------------------------

async function ask(path, method, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url + path, body === undefined ? { method } : { method, headers, body });
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = response.headers.get('Inference-Header-Content-Length');
  const type = response.headers.get('Content-Type').split(';')[0];
  const text = bytes.subarray(0, length ?? bytes.length).toString();
  const reply = type === 'text/plain' ? text : JSON.parse(text);
  // Of bytes behind JSON the document says only that they are bytes: the JSON is as it always is.
  return { status: response.status, type: length === null ? type : 'application/json', reply };
}

function checkReply(context, path, method, answer) {
  const pointer = replySchema(context.root, path, method, answer.status, answer.type);
  if (pointer === undefined) return [`the document knows no ${answer.status} of ${answer.type}`];
  return context.validate(pointer, answer.reply);
}

// ---- Cases --------------------------------------------------------------------------------------

function loadCases() {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(folder, entry.name)).map((file) => join(folder, entry.name, file)));
  return files.filter((file) => file.endsWith('.json')).sort().flatMap((file) => {
    const cases = JSON.parse(readFileSync(file, 'utf8'));
    return [cases].flat().map((one) => ({ ...one, name: `${file}: ${one.name}`, path: `/v1/${one.operation}` }));
  });
}

const variants = [{ output_format: 'nested' }, { output_format: 'flat' }, { output_format: 'binary' },
  { dry_run: true }];

async function checkVariants(context, one) {
  for (const variant of variants) {
    const request = { ...one.request, ...variant };
    const name = `${one.name}, ${JSON.stringify(variant)}`;
    const answer = await ask(one.path, 'post', JSON.stringify(request));
    judge('requests that are answered', name, context.validate(requestSchema(one.path), request));
    judge('replies in every form and as dry runs', name, answer.status !== 200 ? [JSON.stringify(answer.reply)] :
      checkReply(context, one.path, 'post', answer));
  }
}

const requestSchema = (path) => `/paths/${pointed(path)}/post/requestBody/content/application~1json/schema`;

// A reply with a member too many or a required one too few must be refused.
function checkDamaged(context, one, answer) {
  const damaged = [{ ...answer.reply, surprise: 1 }];
  const { oneOf } = context.root.paths[one.path].post.responses[200].content['application/json'].schema;
  for (const name of oneOf[answer.reply.dry_run === true ? 1 : 0].required) {
    const { [name]: gone, ...rest } = answer.reply;
    damaged.push(rest);
  }
  for (const reply of damaged)
    judge('damaged replies are refused', one.name, checkReply(context, one.path, 'post', { ...answer, reply })
      .length > 0 ? [] : [`accepted with the members ${Object.keys(reply)}`]);
}

async function checkCase(context, one) {
  const answer = await ask(one.path, 'post', JSON.stringify(one.request));
  const errors = checkReply(context, one.path, 'post', answer);
  judge('replies to cases', one.name, answer.status === one.status ? errors : [`status ${answer.status}`]);
  const refusals = context.root.paths[one.path] === undefined ? ['no such path'] :
    context.validate(requestSchema(one.path), one.request);
  if (answer.status === 200) {
    judge('requests that are answered', one.name, refusals);
    checkDamaged(context, one, answer);
    await checkVariants(context, one);
  } else if (answer.status === 422) {
    context.refused++;
    context.refusedBySchema += refusals.length > 0;
  }
}

async function checkDocuments(context) {
  for (const [path, item] of Object.entries(context.root.paths))
    if (item.get !== undefined)
      judge('documents', path, checkReply(context, path, 'get', await ask(path, 'get')));
}

const text = await (await fetch(`${url}/openapi.json`)).text();
const root = JSON.parse(text);
const context = { root, validate: makeSchemas(root), refused: 0, refusedBySchema: 0 };
const cases = loadCases();
await lint(text);
await checkDocuments(context);
for (const one of cases) await checkCase(context, one);

const operations = Object.values(root.paths).filter((item) => item.post !== undefined).length;
let passed = 0;
console.log(`${cases.length} cases, ${operations} operations`);
for (const [kind, count] of counts) {
  passed += count.passed;
  console.log(`${kind}: ${count.passed} of ${count.passed + count.failed}`);
}
console.log(`of ${context.refused} requests that the daemon refuses with 422 the schema alone refuses ` +
  `${context.refusedBySchema}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
