import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage } from '@controller-sharding/image/build-image.ts';
import { provenance } from '@controller-sharding/image/provenance.ts';

/** Makes the image from the sources as they are now, as `npm run image` does. */
export async function productImage(): Promise<{ name: string; archive: string }> {
  const { name, archive } = await buildImage(await provenance());
  const file = fileURLToPath(new URL('../../dist/image.tar', import.meta.url));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, archive);
  return { name, archive: file };
}
