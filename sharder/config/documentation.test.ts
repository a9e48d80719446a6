import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chartConfigSchema } from './chart-schema.ts';
import { configurationPage } from './documentation.ts';
import { configFields } from './fields.ts';
import { configFlags } from './flags.ts';

test('docs/configuration.md is what the schema says (else: npm run docs)', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(page, configurationPage());
});

test('the Helm chart has the same schema, without what its templates set (else: npm run docs)', () => {
  const file = new URL('../../manifests/helm/controller-sharding/values.schema.json', import.meta.url);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).properties.config, chartConfigSchema());
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
