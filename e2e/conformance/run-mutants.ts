import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Mutant, memoryServerMutants, reflectorMutants } from './mutants.ts';
import { shardMutants } from './shard-mutants.ts';
import { sharderMutants } from './sharder-mutants.ts';

/** What becomes of the tests. */
type Outcome = 'pass' | 'fail' | 'time-out';

const root = join(import.meta.dirname, '..', '..');
const workspaces = ['shared', 'sharder', 'e2e'];
const groups: Record<string, Mutant[]> = {
  'In-memory API server': memoryServerMutants,
  Reflector: reflectorMutants,
  Shard: shardMutants,
  Sharder: sharderMutants,
};
/** A mutant may loop: that, too, is noticed. It has so many times the time of the tests without it, and a minimum. */
const patience = 5;
const leastTimeoutMs = 45_000;
const unchangedTimeoutMs = 600_000;

/** Copies what the tests need; packages are shared with the original, the workspaces are the copy's own. */
async function copyTree(to: string): Promise<void> {
  for (const name of [...workspaces, 'package.json', 'tsconfig.base.json']) {
    const filter = (path: string): boolean => basename(path) !== 'node_modules';
    await cp(join(root, name), join(to, name), { recursive: true, filter });
  }
  const own = '@controller-sharding';
  await mkdir(join(to, 'node_modules', own), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === own || name.startsWith('.')) continue;
    await symlink(join(root, 'node_modules', name), join(to, 'node_modules', name));
  }
  for (const name of workspaces) await symlink(join(to, name), join(to, 'node_modules', own, name));
}

/** Ends whatever it started, also when it is told to end itself. */
function runTests(
  folder: string,
  { test, named }: Pick<Mutant, 'test' | 'named'>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const child = spawn(
    process.execPath,
    [
      '--test',
      '--test-isolation=none',
      ...(named === undefined ? [] : [`--test-name-pattern=^${named}`]),
      test,
    ],
    {
      cwd: folder,
      stdio: 'ignore',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      killSignal: 'SIGKILL',
    },
  );
  child.once('error', (error) => {
    if (error.name !== 'AbortError') reject(error);
  });
  child.once('close', (code) => {
    if (signal.aborted) reject(signal.reason);
    else resolve(code === null ? 'time-out' : code === 0 ? 'pass' : 'fail');
  });
  return promise;
}

/** Undefined when the text is not there, or more than once. */
async function tryMutant(
  folder: string,
  mutant: Mutant,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const file = join(folder, mutant.file);
  const original = await readFile(file, 'utf8');
  if (original.split(mutant.text).length !== 2) return undefined;
  await writeFile(
    file,
    original.replace(mutant.text, () => mutant.replacement),
  );
  try {
    return await runTests(folder, mutant, timeoutMs, signal);
  } finally {
    await writeFile(file, original);
  }
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Ms that the tests get with a mutant in the program; undefined when they don't pass as they are. */
async function timeoutOf(folder: string, test: string, signal: AbortSignal): Promise<number | undefined> {
  const startedAt = performance.now();
  const unchanged = await runTests(folder, { test }, unchangedTimeoutMs, signal);
  if (unchanged === 'pass')
    return Math.max(leastTimeoutMs, Math.ceil(patience * (performance.now() - startedAt)));
  say(`${test}: ${unchanged} without any mutant: repair that first.`);
  return undefined;
}

/** True when the tests pass as they are, and catch every mutant. */
async function run(folder: string, signal: AbortSignal): Promise<boolean> {
  await copyTree(folder);
  const verdicts: Record<Outcome, string> = {
    pass: 'SURVIVED',
    fail: 'caught',
    'time-out': 'caught (time-out)',
  };
  const timeouts = new Map<string, number>();
  let survivors = 0;
  for (const [title, mutants] of Object.entries(groups)) {
    say(`\n${title}`);
    for (const mutant of mutants) {
      const timeoutMs = timeouts.get(mutant.test) ?? (await timeoutOf(folder, mutant.test, signal));
      if (timeoutMs === undefined) return false;
      timeouts.set(mutant.test, timeoutMs);
      const outcome = await tryMutant(folder, mutant, timeoutMs, signal);
      if (outcome === undefined || outcome === 'pass') survivors += 1;
      const verdict = outcome === undefined ? 'NO LONGER APPLIES' : verdicts[outcome];
      say(`  ${verdict.padEnd(18)} ${basename(mutant.file).padEnd(22)} ${mutant.breaks}`);
    }
  }
  const count = Object.values(groups).flat().length;
  say(`\n${count - survivors} of ${count} mutants caught`);
  return survivors === 0;
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
}
const folder = await mkdtemp(join(tmpdir(), 'conformance-mutants-'));
try {
  process.exitCode = (await run(folder, stop.signal)) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
