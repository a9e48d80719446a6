import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('the documentation shows the example that is tested', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const example = await read('greeting-operator.test.ts');
  const [, shown] = /```ts\n([^]*?)```/.exec(await read('../../docs/testing-your-operator.md')) ?? [];
  assert.equal(shown, example);
});
