import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { tarArchive } from './tar-archive.ts';

/** The `config` of the OCI image specification, as far as it is used here. */
export interface ImageConfig {
  Entrypoint: string[];
  Env: string[];
  User: string;
  WorkingDir: string;
  StopSignal: string;
  Labels: Record<string, string>;
}

export interface ImageContents {
  /** `host/repository:tag`, under which container runtimes keep it once it is loaded. */
  name: string;
  architecture: 'amd64' | 'arm64';
  /** RFC 3339. */
  created: string;
  config: ImageConfig;
  /** tar archives, the lowest first. */
  layers: readonly Buffer[];
}

export interface ImageArchive {
  /** tar: an OCI image layout that `docker load` understands, too. */
  archive: Buffer;
  /** Of the manifest: by it the image can be referred to. */
  digest: string;
  /** What a node has to fetch, in bytes. */
  transferBytes: number;
}

interface Blob {
  mediaType: string;
  digest: string;
  content: Buffer;
}

const compress = promisify(gzip);
const mediaType = (what: string): string => `application/vnd.oci.image.${what}`;

/** Packs an image into one file, to be loaded or pushed without a registry. The same contents make the same bytes. */
export async function imageArchive(contents: ImageContents): Promise<ImageArchive> {
  const { name, architecture, created, config } = contents;
  const platform = { architecture, os: 'linux' };
  const layers = await Promise.all(
    contents.layers.map(async (layer) =>
      // Every runtime and every registry knows gzip.
      blob(mediaType('layer.v1.tar+gzip'), await compress(layer, { level: 9 })),
    ),
  );
  const settings = jsonBlob(mediaType('config.v1+json'), {
    created,
    ...platform,
    config,
    rootfs: { type: 'layers', diff_ids: contents.layers.map(digestOf) },
  });
  const manifest = jsonBlob(mediaType('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: mediaType('manifest.v1+json'),
    config: descriptor(settings),
    layers: layers.map(descriptor),
    annotations: config.Labels,
  });
  const annotations = {
    'io.containerd.image.name': name,
    'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
  };
  const index = {
    schemaVersion: 2,
    mediaType: mediaType('index.v1+json'),
    manifests: [{ ...descriptor(manifest), platform, annotations }],
  };
  const forDocker = {
    Config: blobPath(settings),
    RepoTags: [name],
    Layers: layers.map(blobPath),
  };
  const blobs = [manifest, settings, ...layers];
  const archive = tarArchive([
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: json(index) },
    { path: 'manifest.json', content: json([forDocker]) },
    ...blobs.map((each) => ({ path: blobPath(each), content: each.content })),
  ]);
  const transferBytes = blobs.reduce((sum, { content }) => sum + content.length, 0);
  return { archive, digest: manifest.digest, transferBytes };
}

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;
const blobPath = ({ digest }: Blob): string => `blobs/${digest.replace(':', '/')}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const blob = (type: string, content: Buffer): Blob => ({
  mediaType: type,
  digest: digestOf(content),
  content,
});
const jsonBlob = (type: string, value: unknown): Blob => blob(type, json(value));
const descriptor = ({ mediaType: type, digest, content }: Blob) => ({
  mediaType: type,
  digest,
  size: content.length,
});
