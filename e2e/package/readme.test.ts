import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');

test("the package's README shows the examples that are compiled and run", async () => {
  const readme = await read('../../shared/README.md');
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  assert.deepEqual(blocks, [await read('controller-example.ts'), await read('testing-example.ts')]);
});
