import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Makes one file without types of what is loaded into a process that is measured: what would take them out there takes
 * 30 MB.
 */
export async function buildMeter(program: URL, outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(program)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
}
