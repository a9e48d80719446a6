import { execFile } from 'node:child_process';

/** Where the programs are that nodes are made with; some shells don't look there. */
export const programPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

const MAX_OUTPUT = 64 * 1024 * 1024;

export interface CommandOptions {
  input?: string | undefined;
  /** Added to this process's. */
  env?: Record<string, string> | undefined;
  cwd?: string | undefined;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Runs a program to its end and returns its output. Throws with what it wrote to its standard error. */
export function runCommand(
  program: string,
  args: readonly string[],
  { input = '', env, cwd, timeoutMs, signal }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...args],
      {
        env: { ...process.env, PATH: programPath, ...env },
        maxBuffer: MAX_OUTPUT,
        ...(cwd !== undefined && { cwd }),
        ...(timeoutMs !== undefined && { timeout: timeoutMs, killSignal: 'SIGKILL' }),
        ...(signal && { signal }),
      },
      (error, output, errors) => {
        if (error) reject(new Error(`${program} ${args.join(' ')}: ${errors.trim() || error.message}`));
        else resolve(output);
      },
    );
    child.stdin?.on('error', () => {}); // it may end without having read all
    child.stdin?.end(input);
  });
}
