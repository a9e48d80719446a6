import { readFile, writeFile } from 'node:fs/promises';
import { imageArchive } from '@controller-sharding/image/oci-archive.ts';
import { tarArchive } from '@controller-sharding/image/tar-archive.ts';

/** Packs one program that needs no other file into an image, as an OCI archive. */
export async function writeProgramImage(
  image: { name: string; program: string; user: number },
  file: string,
): Promise<void> {
  const path = image.program.slice(image.program.lastIndexOf('/') + 1);
  const layer = tarArchive([{ path, content: await readFile(image.program), mode: 0o755 }]);
  const { archive } = await imageArchive({
    name: image.name,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    created: '1970-01-01T00:00:00Z',
    config: {
      Entrypoint: [`/${path}`],
      Env: [],
      User: `${image.user}:${image.user}`,
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
      Labels: {},
    },
    layers: [layer],
  });
  await writeFile(file, archive);
}
