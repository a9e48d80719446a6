import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSize, LogLines, lastLines } from './log-lines.ts';
import { testFolder } from './test-fixtures.ts';

test('whole lines are given once, however they were written', async (t) => {
  const path = join(await testFolder(t), 'log');
  const lines = new LogLines(path);
  assert.deepEqual(await lines.next(), []);
  await appendFile(path, 'one\ntw');
  assert.deepEqual(await lines.next(), ['one']);
  assert.deepEqual(await lines.next(), []);
  await appendFile(path, `o\n${'x'.repeat(200_000)}\nrest`);
  const more = await lines.next();
  assert.equal(more.length, 2);
  assert.equal(more[0], 'two');
  assert.equal(more[1]?.length, 200_000);
});

test('reading starts at the given place', async (t) => {
  const path = join(await testFolder(t), 'log');
  await appendFile(path, 'old\n');
  const lines = new LogLines(path, await fileSize(path));
  await appendFile(path, 'new\n');
  assert.deepEqual(await lines.next(), ['new']);
});

test('the last lines of a file that is not there are none', async (t) => {
  const path = join(await testFolder(t), 'log');
  assert.equal(await lastLines(path, 2), '');
  await appendFile(path, 'a\nb\nc\n');
  assert.equal(await lastLines(path, 2), 'b\nc');
});
