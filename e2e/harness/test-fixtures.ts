import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from './wait-for.ts';

/** A folder of its own for a test. */
export async function testFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Whether a process exists that hasn't ended. One that has, and for which its parent hasn't asked yet, doesn't count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return process.platform !== 'linux'; // elsewhere there is no /proc
  }
}

export const untilGone = (...pids: number[]): Promise<boolean> =>
  waitFor(`the end of ${pids.join(', ')}`, () => !pids.some(isAlive), { everyMs: 10 });

export interface FixtureProgram<T> {
  /** The first line of its output, which is JSON. */
  said: T;
  kill: (signal: NodeJS.Signals) => boolean;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** All that it wrote to standard error so far. */
  errors: () => string;
}

/** Runs a program of this folder, which tests then end in one way or another. */
export async function runFixture<T>(
  t: TestContext,
  program: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<FixtureProgram<T>> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    void exited.then(({ code }) => reject(new Error(`${program} ended with ${code}: ${errors}`)));
  });
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test knows what its fixture says
    said: JSON.parse(line) as T,
    kill: (signal) => child.kill(signal),
    exited,
    errors: () => errors,
  };
}
