/** `node image/bundle.ts`: bundles all programs for the image into `dist/image/`, and says how large that is. */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { bundle } from './bundle-programs.ts';

await runProcess('bundle', async () => {
  const folder = fileURLToPath(new URL('../dist/image/', import.meta.url));
  await rm(folder, { recursive: true, force: true });
  const { bytes } = await bundle(folder);
  process.stdout.write(`${folder}: ${(bytes / 1e6).toFixed(1)} MB\n`);
});
