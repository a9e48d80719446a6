import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BinaryCache, builtFolder, type Environment } from './binary-cache.ts';
import { BinariesError } from './errors.ts';
import type { Module } from './go-modules.ts';
import { checkGo } from './go-toolchain.ts';
import type { Report } from './progress.ts';
import type { BinaryName } from './versions.ts';

const ERROR_LINES_SHOWN = 8;
const INTERRUPT_GRACE_MS = 5_000;

export interface BuildOptions {
  module: Module;
  /** All of that module. */
  names: readonly BinaryName[];
  cache: BinaryCache;
  workFolder: string;
  env: Environment;
  report: Report;
  signal: AbortSignal | undefined;
}

/**
 * Builds binaries of one module and installs them. Go keeps what it has compiled in its own cache, so an interrupted
 * build goes on where it was. Throws BinariesError `GO_MISSING`, `GO_TOO_OLD`, `BUILD_FAILED`.
 */
export async function buildFromModule(options: BuildOptions): Promise<void> {
  const { module, names, cache, workFolder, report, signal } = options;
  // What Go leaves behind when it is interrupted goes with the work folder.
  const temporary = join(workFolder, 'go');
  await mkdir(temporary, { recursive: true });
  const env = { ...options.env, CGO_ENABLED: module.cgo ? '1' : '0', GOWORK: 'off', GOTMPDIR: temporary };
  await checkGo(module.folder, env, names, signal);
  const packages = names.map((name) => module.packages[name] ?? '');
  const tags = module.tags === undefined ? [] : ['-tags', module.tags];
  const go = (args: string[], onLine: (line: string) => void): Promise<void> =>
    runGo({ args, cwd: module.folder, env, signal }, onLine);

  let downloaded = 0;
  let total = 0;
  await go(['list', '-mod=readonly', ...tags, '-deps', ...packages], (line) => {
    if (!line.startsWith('go: downloading ')) total += 1;
    else report(`${++downloaded} modules downloaded`);
  });

  const folder = join(workFolder, 'build');
  await mkdir(folder);
  // With one package, -o names the file; with several, it names the folder, and each is named after its package.
  const output = names.length === 1 ? join(folder, names[0] ?? '') : `${folder}/`;
  report(`compiling what isn't yet of ${total} packages, and linking`);
  let compiled = 0;
  await go(
    [
      'build',
      '-mod=readonly',
      '-trimpath',
      '-buildvcs=false',
      ...tags,
      '-v',
      '-ldflags',
      module.ldflags,
      '-o',
      output,
      ...packages,
    ],
    (line) => {
      if (!isPackage(line)) return;
      compiled += 1;
      report(`${compiled} of at most ${total} packages compiled`, compiled / total);
    },
  );
  for (const name of names) await cache.install(name, builtFolder(name), join(folder, name));
  await rm(folder, { recursive: true });
}

/** `go build -v` names each package that it compiles on a line of its own. */
const isPackage = (line: string): boolean => /^[\w./~-]+$/.test(line);

interface GoCommand {
  args: string[];
  cwd: string;
  env: Environment;
  signal: AbortSignal | undefined;
}

/** Runs Go and passes on each line of its output, of both kinds. Ends it, and what it started, on abort. */
async function runGo({ args, cwd, env, signal }: GoCommand, onLine: (line: string) => void): Promise<void> {
  // A process group of its own, to end its compilers with it.
  const child = spawn('go', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const errors: string[] = [];
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve(code === null ? `by ${killedBy}` : `with code ${code}`));
  });
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', (line) => {
    onLine(line);
    if (isPackage(line) || line.startsWith('go: downloading ')) return;
    errors.push(line);
    if (errors.length > ERROR_LINES_SHOWN) errors.shift();
  });
  let kill: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    signalGroup(child.pid, 'SIGINT');
    kill = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), INTERRUPT_GRACE_MS);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  const end = await ended.finally(() => {
    signal?.removeEventListener('abort', interrupt);
    clearTimeout(kill);
  });
  signal?.throwIfAborted();
  if (end !== 'with code 0')
    throw new BinariesError('BUILD_FAILED', [`\`go ${args[0]}\` ended ${end}:`, ...errors].join('\n'));
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
