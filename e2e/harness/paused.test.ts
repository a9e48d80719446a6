import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { untilPaused } from './paused.ts';

test('a process that is to stop stands still once it is said to', async (t) => {
  const child = spawn('sh', ['-c', 'while :; do echo; done']);
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const { pid } = child;
  assert.ok(pid !== undefined);
  let paused = false;
  const pausing = untilPaused(pid).then(() => (paused = true));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(paused, false, 'nobody has stopped it yet');
  child.kill('SIGSTOP');
  await pausing;
  // What it had written before.
  while (child.stdout.read() !== null);
  await new Promise((resolve) => setTimeout(resolve, 20));
  while (child.stdout.read() !== null);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(child.stdout.read(), null);
});
