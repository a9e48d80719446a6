import { readFile, writeFile } from 'node:fs/promises';
import { imageArchive } from '@controller-sharding/image/oci-archive.ts';
import { tarArchive } from '@controller-sharding/image/tar-archive.ts';

/** The image of every pod's first container, which holds the pod's namespaces. */
export const pauseImage = 'localhost/pause:1';

/** Packs the program into an image. */
export async function writePauseImage(program: string, file: string): Promise<void> {
  const layer = tarArchive([{ path: 'pause', content: await readFile(program), mode: 0o755 }]);
  const { archive } = await imageArchive({
    name: pauseImage,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    created: '1970-01-01T00:00:00Z',
    config: {
      Entrypoint: ['/pause'],
      Env: [],
      User: '65535:65535',
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
      Labels: {},
    },
    layers: [layer],
  });
  await writeFile(file, archive);
}
