import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../package/run-tool.ts';

interface Descriptor {
  digest: string;
  size: number;
}

export interface UnpackedImage {
  /** Folder with its files. */
  root: string;
  config: { Entrypoint: string[]; User: string; Labels: Record<string, string> };
}

/** Reads an image as a container runtime does: index, manifest, configuration, then layer over layer. */
export async function unpackImage(archive: Buffer, folder: string): Promise<UnpackedImage> {
  const layout = join(folder, 'layout');
  const root = join(folder, 'root');
  const file = join(folder, 'image.tar');
  await Promise.all([mkdir(layout), mkdir(root)]);
  await writeFile(file, archive);
  await runTool('tar', ['--extract', '--file', file], layout);
  await rm(file);
  const blob = ({ digest }: Descriptor): string => join(layout, 'blobs', digest.replace(':', '/'));
  const read = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8'));
  const index = await read<{ manifests: [Descriptor] }>(join(layout, 'index.json'));
  const manifest = await read<{ config: Descriptor; layers: Descriptor[] }>(blob(index.manifests[0]));
  for (const layer of manifest.layers) {
    await runTool('tar', ['--extract', '--gzip', '--same-permissions', '--file', blob(layer)], root);
  }
  const { config } = await read<Pick<UnpackedImage, 'config'>>(blob(manifest.config));
  await rm(layout, { recursive: true });
  return { root, config };
}
