import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure } from './measure.ts';
import type { FixtureInput } from './measure-fixture.ts';

const run = (does: FixtureInput['does'], signal = AbortSignal.timeout(60_000)) =>
  measure<{ length: number; heapBytes: number }>(
    new URL('./measure-fixture.ts', import.meta.url),
    { does },
    signal,
  );

test('a side runs in a process of its own, and what it used is told', async () => {
  const { cpuMs, wallMs, peakRssMb, stallMs, wallStallMs, idleWallStallMs, result } = await run('work');
  assert.equal(result.length, 1_000_000);
  assert.ok(result.heapBytes > 7e6 && result.heapBytes < 20e6, String(result.heapBytes));
  assert.ok(peakRssMb >= 50 && peakRssMb < 150, String(peakRssMb));
  // Of different runs: what else the machine does makes them differ.
  assert.ok(stallMs > 5 && stallMs < 5 * cpuMs, `${stallMs} ${cpuMs}`);
  assert.ok(wallMs > 0 && wallStallMs >= 0 && wallStallMs < 60_000, `${wallStallMs} ${wallMs}`);
  assert.ok(idleWallStallMs < 5_000);
});

test('a side that fails, ends or measures nothing is an error', async () => {
  await assert.rejects(run('throw'), /as planned/);
  await assert.rejects(run('die'), /the measured process ended with 7/);
  await assert.rejects(run('nothing'), /measured nothing/);
});

test('a measurement ends with its signal', async () => {
  const reason = new Error('stop');
  await assert.rejects(run('work', AbortSignal.abort(reason)), (error) => error === reason);
  const abort = new AbortController();
  const running = run('work', abort.signal);
  abort.abort(reason);
  await assert.rejects(running, (error) => error === reason);
});
