/** `node e2e/package/main.ts`: packs the shared library into `dist/` and prints the path of the archive. */
import { fileURLToPath } from 'node:url';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { packShared } from './pack.ts';

await runProcess('pack:shared', async () => {
  const archive = await packShared(fileURLToPath(new URL('../../dist/', import.meta.url)));
  process.stdout.write(`${archive}\n`);
});
