import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../harness/wait-for.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));
/** Of this test file alone, so that what is left in it can be seen. */
const temporary = await mkdtemp(join(tmpdir(), 'main-job-'));
after(() => rm(temporary, { recursive: true }));

export interface Run {
  child: ChildProcess;
  output: () => string;
  errors: () => string;
  code: Promise<number | null>;
}

/** Starts the main job as users do. */
export function start(...args: string[]): Run {
  const env = { ...process.env, TMPDIR: temporary, CI: '1' };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (data) => (output += String(data)));
  child.stderr.on('data', (data) => (errors += String(data)));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, errors: () => errors, code };
}

/** The temporary folder is empty, and with it gone is every process that had a file in it as an argument. */
export async function nothingLeft(): Promise<void> {
  await waitFor('an empty temporary folder', async () => (await readdir(temporary)).length === 0);
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    numbers.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  assert.deepEqual(
    lines.filter((line) => line.includes(temporary)),
    [],
  );
}
