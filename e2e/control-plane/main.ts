/** `node e2e/control-plane/main.ts [NAME…]`: prepares binaries of the control plane and says where they are. */
import { runProcess, UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { ensureBinaries } from './ensure-binaries.ts';
import { BINARY_NAMES, isBinaryName, NODE_BINARY_NAMES, TEST_BINARY_NAMES } from './versions.ts';

const PROGRAM = 'control-plane';
/** What a shell reports for a program ended by Ctrl-C: what was to come next shall not. */
const EXIT_INTERRUPTED = 130;

class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly exitCode = EXIT_INTERRUPTED;
}

const HELP = `Usage: node e2e/control-plane/main.ts [NAME...]

Finds, downloads or builds binaries of the control plane, and prints their paths.
NAME is one of ${BINARY_NAMES.join(', ')} (default: all of these);
for nodes, ${NODE_BINARY_NAMES.join(', ')};
for a test, ${TEST_BINARY_NAMES.join(', ')}.

Environment:
  KUBEBUILDER_ASSETS  folder with binaries, used first
  XDG_CACHE_HOME      folder of the cache (default ~/.cache)
  ENVTEST_INDEX_URL   index of the archives to download
`;

await runProcess(PROGRAM, async (signal) => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  const unknown = args.filter((name) => !isBinaryName(name));
  if (unknown.length > 0)
    throw new UsageError(`unknown binary ${unknown.join(', ')}: choose from ${BINARY_NAMES.join(', ')}`);
  const names = args.filter(isBinaryName);
  const paths = await ensureBinaries(names.length > 0 ? names : BINARY_NAMES, { signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw new InterruptedError('interrupted');
      throw error;
    },
  );
  for (const [name, path] of Object.entries(paths)) process.stdout.write(`${name} ${path}\n`);
});
