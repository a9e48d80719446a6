import { UsageError } from './usage-error.ts';

export { UsageError };

/** The second exit: what a shell reports for a program ended by Ctrl-C. */
const EXIT_FORCED = 130;

/**
 * Signals that come this close together are one wish to stop: on Ctrl-C the terminal signals the whole process group,
 * and npm passes the same signal on once more.
 */
const SAME_WISH_MS = 500;

/** Why the signal of `runProcess` was aborted. */
export class StopError extends Error {
  override readonly name = 'StopError';
  readonly code = 'STOP';
}

/**
 * Runs a program and ends the process when it has ended, with these codes: 0 fine, also when stopped; 2 wrong usage;
 * an error's own `exitCode`; 1 any other failure, a promise rejected unhandled included. The first SIGTERM or SIGINT
 * aborts the signal given to `main`, the second one ends the process at once with 130. An error is told in a line or
 * two on stderr; its stack only if the environment variable DEBUG is set.
 */
export async function runProcess(name: string, main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  stopOnSignals(stop);
  stopWhenNobodyReads(stop);
  const die = (error: unknown): void => process.exit(report(name, error));
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  let exitCode = 0;
  try {
    await main(stop.signal);
  } catch (error) {
    if (!isStop(error, stop.signal)) exitCode = report(name, error);
  }
  await flush(process.stdout);
  await flush(process.stderr);
  process.exit(exitCode);
}

function stopOnSignals(stop: AbortController): void {
  let stoppedAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (stoppedAt === undefined) {
      stoppedAt = now;
      stop.abort(new StopError(`stopped by ${signal}`));
    } else if (now - stoppedAt > SAME_WISH_MS) {
      process.exit(EXIT_FORCED);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** `program | head`: a closed pipe is a wish to stop, and not an error worth telling. */
function stopWhenNobodyReads(stop: AbortController): void {
  process.stdout.on('error', () => stop.abort(new StopError('nobody reads the output')));
  process.stderr.on('error', () => {}); // nobody is left to tell it to
}

const isStop = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'));

/** Tells an error on stderr; the exit code for it. */
function report(name: string, error: unknown): number {
  process.stderr.write(`${name}: ${describe(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`Run '${name} --help' for what is possible.\n`);
  if (process.env['DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number'
    ? error.exitCode
    : 1;
}

/** In one line. An error that nobody foresaw is told as such. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `unexpected error: ${String(error)}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const message = (error.message || code || error.name).replaceAll(/\s*\n\s*/g, ' ');
  const foreseen = 'exitCode' in error || (code !== undefined && !code.startsWith('ERR_'));
  return foreseen ? message : `unexpected error: ${error.name}: ${message} (DEBUG=1 shows where)`;
}

const flush = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()));
