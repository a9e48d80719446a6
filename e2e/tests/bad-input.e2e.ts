/** Programs that are started wrongly: what they say, and how they end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertTold, busyAddress, run } from './programs.ts';

const off = ['--health-address=0', '--metrics-address=0'];
const unreachable = `--kubeconfig=${fileURLToPath(new URL('./unreachable.kubeconfig', import.meta.url))}`;

for (const [path, ...command] of [['sharder/cli/main.ts', 'run'], ['operator/checksum/main.ts']] as const) {
  test(`${path}: an unknown flag is wrong usage`, async () => {
    assertTold(await run(path, ...command, '--such-flag'), 2, /such-flag/);
  });

  test(`${path}: a kubeconfig that isn't there is named`, async () => {
    assertTold(await run(path, ...command, ...off, '--kubeconfig=/no/such/file'), 1, /\/no\/such\/file/);
  });

  test(`${path}: a busy port is named`, async (t) => {
    const busy = await busyAddress(t);
    const ended = await run(path, ...command, unreachable, `--health-address=${busy}`, '--metrics-address=0');
    assertTold(ended, 1, new RegExp(`${busy}: address already in use`));
  });

  test(`${path}: an API server that can't be reached is named at once, and SIGTERM ends the wait for it`, async (t) => {
    const child = spawn(process.execPath, [path, ...command, unreachable, ...off]);
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
    assert.match(String(said), /https:\/\/127\.0\.0\.1:1\b.*trying for a minute/);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });
}

test('a shard name that can’t be a label value is refused', async () => {
  assertTold(
    await run('operator/checksum/main.ts', '--shard-name', 'x'.repeat(64)),
    2,
    /64 characters: at most 63/,
  );
});
