import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SideDone, SideMessage, SideRequest } from './side.ts';
import type { Stalls } from './stall-meter.ts';
import type { Usage } from './usage-meter.ts';

export interface Measured<Result> extends Usage, Stalls {
  /** The longest wait on the clock of a process that did nothing at the same time: the machine's own share. */
  idleWallStallMs: number;
  result: Result;
}

const idleProgram = fileURLToPath(new URL('./idle-side.ts', import.meta.url));

/** Of as many runs the middle one by its CPU counts: what else the machine does makes them differ. */
const usageRuns = 3;

/**
 * Runs one side of a benchmark (`runSide`) in processes of its own: some for what it uses, one for its stalls, since to
 * look for these every ms takes CPU. Throws when that fails, the signal's reason when aborted.
 */
export async function measure<Result>(
  program: URL,
  input: object,
  signal: AbortSignal,
): Promise<Measured<Result>> {
  const runs: SideDone<Result>[] = [];
  for (let count = 0; count < usageRuns; count += 1) {
    runs.push(await run<Result>(program, { what: 'usage', input }, () => {}, signal));
  }
  const middle = runs.toSorted((a, b) => (a.usage?.cpuMs ?? 0) - (b.usage?.cpuMs ?? 0))[usageRuns >> 1];
  const idle = start(idleProgram, signal);
  try {
    const { stalls } = await run<Result>(
      program,
      { what: 'stalls', input },
      () => idle.send('start'),
      signal,
    );
    idle.send('stop');
    const [idleStalls]: Stalls[] = await once(idle, 'message');
    if (!middle?.usage || !stalls || !idleStalls) throw new Error('the measured process sent no figures');
    return { ...middle.usage, ...stalls, idleWallStallMs: idleStalls.wallStallMs, result: middle.result };
  } finally {
    idle.kill('SIGKILL');
  }
}

async function run<Result>(
  program: URL,
  request: SideRequest,
  begins: () => void,
  signal: AbortSignal,
): Promise<SideDone<Result>> {
  signal.throwIfAborted();
  const side = start(fileURLToPath(program), signal);
  try {
    side.send(request);
    return await outcome<Result>(side, begins);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    side.kill('SIGKILL');
  }
}

function start(program: string, signal: AbortSignal): ChildProcess {
  const child = fork(program, [], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.on('error', () => {}); // aborted, or not started: it ends, and that is told
  return child;
}

function outcome<Result>(side: ChildProcess, begins: () => void): Promise<SideDone<Result>> {
  return new Promise((resolve, reject) => {
    side.on('message', (message: SideMessage<Result>) => {
      if (message.kind === 'begins') begins();
      else if (message.kind === 'failed') reject(new Error(message.message));
      else resolve(message);
    });
    side.once('exit', (code, by) => reject(new Error(`the measured process ended with ${code ?? by}`)));
  });
}
