import { execFile } from 'node:child_process';
import type { Environment } from './binary-cache.ts';
import { BinariesError } from './errors.ts';
import { type BinaryName, GO_VERSION } from './versions.ts';

const ADVICE =
  'Install it from https://go.dev/dl/ or with your package manager, or set KUBEBUILDER_ASSETS to a folder with these binaries.';

/**
 * Makes sure that there is a Go that can build the modules; an older one that may fetch a newer toolchain by itself
 * does so here. Throws BinariesError `GO_MISSING` or `GO_TOO_OLD`, which say what to do.
 */
export async function checkGo(
  moduleFolder: string,
  env: Environment,
  names: readonly BinaryName[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const purpose = `Building ${names.join(', ')} needs Go ${GO_VERSION} or newer`;
  let version: string;
  try {
    // In the module's folder: that is where Go looks which version is asked for.
    version = await run('go', ['env', 'GOVERSION'], { cwd: moduleFolder, env, signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (isMissing(error)) {
      throw new BinariesError('GO_MISSING', `${purpose}, and there is no \`go\` on the PATH.\n${ADVICE}`);
    }
    const reason = error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : '';
    throw new BinariesError(
      'GO_TOO_OLD',
      `${purpose}, and the \`go\` on the PATH isn't: ${reason}\n${ADVICE}`,
    );
  }
  if (!isNewEnough(version)) {
    throw new BinariesError('GO_TOO_OLD', `${purpose}; the \`go\` on the PATH is ${version}.\n${ADVICE}`);
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map(Number);
  const [neededMajor = 0, neededMinor = 0] = GO_VERSION.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

interface RunOptions {
  cwd: string;
  env: Environment;
  signal: AbortSignal | undefined;
}

/** Rejects with Node's error (code `ENOENT`, …) or, when the program says no, with what it wrote to standard error. */
function run(command: string, args: string[], { cwd, env, signal }: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, ...(signal && { signal }) }, (error, output, errorOutput) => {
      if (!error) resolve(output.trim());
      else if (typeof error.code === 'number') reject(new Error(errorOutput || error.message));
      else reject(error);
    });
  });
}
