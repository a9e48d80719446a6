/**
 * `npm run image`: makes `dist/image.tar`, to be loaded or pushed as it is, and beside it what it consists of.
 * `npm run image -- FOLDER`: writes the files of the image into a folder instead, for the Dockerfile.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { buildImage } from './build-image.ts';
import { imageFiles } from './image-files.ts';
import { provenance } from './provenance.ts';
import { writeEntries } from './write-entries.ts';

await runProcess('image', async () => {
  const [folder] = process.argv.slice(2);
  const facts = await provenance();
  if (folder !== undefined) {
    const { runtime, programs } = await imageFiles(facts);
    await writeEntries(folder, [...runtime, ...programs]);
    return;
  }
  const { name, digest, transferBytes, archive, bill } = await buildImage(facts);
  const dist = fileURLToPath(new URL('../dist/', import.meta.url));
  await mkdir(dist, { recursive: true });
  await writeFile(`${dist}image.tar`, archive);
  await writeFile(`${dist}image.sbom.json`, bill);
  const size = (transferBytes / 1e6).toFixed(1);
  process.stdout.write(`${dist}image.tar: ${name}@${digest}, ${size} MB to transfer\n`);
});
