import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../harness/wait-for.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Of this test alone, so that what is left in it can be seen. */
const temporary = await mkdtemp(join(tmpdir(), 'leftovers-'));
after(() => rm(temporary, { recursive: true }));

/** Processes that were started with this temporary folder. */
async function processes(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`TMPDIR=${temporary}`)) continue;
    found.push(`${pid} ${await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')}`);
  }
  return found;
}

for (const run of ['first', 'second']) {
  test(`Ctrl-C in a terminal ends the job, run by npm, and leaves nothing: ${run} run`, {
    timeout: 120_000,
    skip: process.platform !== 'linux',
  }, async (t) => {
    const job = spawn('npm', ['run', '--silent', 'main-job', '--', '--secrets=20'], {
      cwd: repository,
      // npm keeps compiled code in the temporary folder; that isn't what is looked for here.
      env: { ...process.env, TMPDIR: temporary, CI: '1', NODE_DISABLE_COMPILE_CACHE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, as a shell gives it
    });
    const group = -(job.pid ?? 0);
    assert.ok(group < 0);
    let output = '';
    for (const stream of [job.stdout, job.stderr]) stream.on('data', (data) => (output += String(data)));
    let ended = false;
    const end = new Promise<void>((resolve) => {
      job.once('close', () => {
        ended = true;
        resolve();
      });
    });
    t.after(() => ended || process.kill(group, 'SIGKILL'));

    await waitFor('the step fill', () => ended || /^fill /m.test(output), { timeoutMs: 60_000 });
    assert.equal(ended, false, output);
    assert.ok((await processes()).length > 5);
    process.kill(group, 'SIGINT');
    await end;
    let left: string[] = [];
    await waitFor('the end of everything', async () => {
      left = [...(await readdir(temporary)), ...(await processes())];
      return left.length === 0;
    }).catch(() => assert.deepEqual(left, []));
  });
}
