import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TraceTail } from './trace-tail.ts';

async function traceFile(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'trace-'));
  const path = join(folder, 'a.trace');
  const lines: string[] = [];
  const tail = new TraceTail(path, (line) => lines.push(line));
  t.after(async () => {
    await tail.close();
    await rm(folder, { recursive: true });
  });
  return { path, lines, tail };
}

test('a file that is not there yet has no lines', async (t) => {
  const { path, lines, tail } = await traceFile(t);
  await tail.poll();
  await appendFile(path, 'one\n');
  await tail.poll();
  assert.deepEqual(lines, ['one']);
});

test('a line is told when its end is written', async (t) => {
  const { path, lines, tail } = await traceFile(t);
  await appendFile(path, 'one\ntw');
  await tail.poll();
  await appendFile(path, 'o\n\nthr');
  await tail.poll();
  assert.deepEqual(lines, ['one', 'two']);
});

test('a character that is written in two parts stays whole', async (t) => {
  const { path, lines, tail } = await traceFile(t);
  const bytes = Buffer.from('zwölf\n');
  for (const byte of bytes) {
    await appendFile(path, Buffer.of(byte));
    await tail.poll();
  }
  assert.deepEqual(lines, ['zwölf']);
});

test('a file of more than one chunk is read to its end', async (t) => {
  const { path, lines, tail } = await traceFile(t);
  const written = Array.from({ length: 20_000 }, (_, i) => `line number ${i}`);
  await appendFile(path, `${written.join('\n')}\n`);
  await tail.poll();
  assert.deepEqual(lines, written);
});

test('a line that never ends is refused', async (t) => {
  const { path, tail } = await traceFile(t);
  await appendFile(path, 'x'.repeat(2 * 1024 * 1024));
  await assert.rejects(tail.poll(), /a line of more than 1048576 bytes/);
});
