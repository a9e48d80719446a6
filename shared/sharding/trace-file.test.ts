import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { traceToFile } from './trace-file.ts';

test('each event is a line with machine-wide time, written when it happens, after what stood there before', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trace-'));
  try {
    const path = join(folder, 'trace');
    const before = Number(process.hrtime.bigint()) / 1e6;
    traceToFile(path, () => 'a')({ event: 'lease', state: 'acquired' });
    traceToFile(
      path,
      () => 'a',
    )({ event: 'reconcile-begin', resource: 'secrets', object: 'default/s', uid: 'u' });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const [first, second] = lines.map((line): unknown => JSON.parse(line));
    assert.equal(lines.length, 2);
    const at = (event: unknown): number => {
      assert(typeof event === 'object' && event !== null && 'at' in event && typeof event.at === 'number');
      return event.at;
    };
    assert(at(first) >= before && at(second) >= at(first));
    assert.deepEqual(first, {
      at: at(first),
      shard: 'a',
      pid: process.pid,
      event: 'lease',
      state: 'acquired',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that can not be opened is told at once', () => {
  assert.throws(() => traceToFile('/nowhere/at/all', () => 'a'), { code: 'ENOENT' });
});
