import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { batchesOf } from './stream-batches.ts';

/** A stream of `count` pieces of `size` bytes, and how many of them were taken. */
function counted(count: number, size: number) {
  let made = 0;
  const stream = new Readable({
    highWaterMark: 16 << 10,
    read() {
      made += 1;
      this.push(made > count ? null : Buffer.alloc(size, made % 256));
    },
  });
  return { stream, made: () => made };
}

test('small pieces come together, complete and in order', async () => {
  const { stream } = counted(1_000, 1_000);
  let batches = 0;
  let bytes = 0;
  for await (const batch of batchesOf(stream)) {
    batches += 1;
    for (const byte of batch) {
      if (byte !== (Math.floor(bytes / 1_000) + 1) % 256) assert.fail(`byte ${bytes}`);
      bytes += 1;
    }
  }
  assert.equal(bytes, 1_000_000);
  assert.ok(batches < 100, String(batches));
});

test('not much is read ahead of a consumer that takes its time', async () => {
  const { stream, made } = counted(1_000_000, 1_000);
  const batches = batchesOf(stream);
  await batches.next();
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(made() < 1_000, String(made()));
  await batches.return();
  assert.equal(stream.destroyed, true);
});

test('what came before an error is given first', async () => {
  const stream = Readable.from(
    (function* () {
      yield Buffer.from('one');
      throw new Error('broken');
    })(),
  );
  const batches = batchesOf(stream);
  const { value } = await batches.next();
  assert.equal(Buffer.from(value ?? []).toString(), 'one');
  await assert.rejects(batches.next(), { message: 'broken' });
});
