import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage } from './documentation.ts';
import { configFields } from './fields.ts';
import { configFlags } from './flags.ts';

test('docs/configuration.md is what the schema says (else: npm run docs)', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(page, configurationPage());
});

test('every field is described, and every flag sets a field', () => {
  const fields = configFields();
  for (const { path, description } of fields) {
    if (path !== 'apiVersion' && path !== 'kind') assert.notEqual(description, '', path);
  }
  const paths = new Set(fields.map(({ path }) => path));
  for (const { path } of Object.values(configFlags)) {
    const [parent] = path.split(/\.url$/);
    assert.ok(paths.has(path) || paths.has(parent ?? ''), path);
  }
});
