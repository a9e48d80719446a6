import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { StallMeter } from './stall-meter.ts';

function useCpu(ms: number): void {
  const { user, system } = process.threadCpuUsage();
  for (;;) {
    const used = process.threadCpuUsage();
    if (used.user + used.system - user - system >= ms * 1_000) return;
  }
}

test('the longest stretch of CPU between two turns is found, not the sum of many', async () => {
  const meter = new StallMeter();
  meter.start();
  for (const ms of [5, 25, 5, 5, 5, 5, 5]) {
    useCpu(ms);
    await turn();
  }
  const { stallMs, wallStallMs } = meter.stop();
  assert.ok(stallMs >= 24 && stallMs < 35, String(stallMs));
  assert.ok(wallStallMs >= 23, String(wallStallMs));
});

test('waiting is no stall', async () => {
  const meter = new StallMeter();
  meter.start();
  await sleep(100);
  assert.ok(meter.stop().stallMs < 10);
});

test('a stall right before the end counts, one before the start does not', async () => {
  const meter = new StallMeter();
  meter.start();
  useCpu(40);
  await turn();
  meter.start();
  await turn();
  useCpu(20);
  const { stallMs } = meter.stop();
  assert.ok(stallMs >= 19 && stallMs < 35, String(stallMs));
});
