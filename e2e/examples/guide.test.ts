import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guideBlocks, patched } from './guide.ts';

test('the blocks of a guide have a language, and a file if they are one', () => {
  const guide = 'Text\n\n```ts a.ts\nconst a = `1`;\n```\n\n    plain\n\n```sh\none\ntwo\n```\n';
  assert.deepEqual(guideBlocks(guide), [
    { language: 'ts', file: 'a.ts', code: 'const a = `1`;\n' },
    { language: 'sh', file: undefined, code: 'one\ntwo\n' },
  ]);
});

test('a difference replaces lines that are there, and no others', () => {
  assert.equal(patched('a\n  b\nc\n', '-  b\n+  B1\n+  B2\n'), 'a\n  B1\n  B2\nc\n');
  assert.throws(() => patched('a\n', '-b\n+c\n'), /there is no such text/);
});
