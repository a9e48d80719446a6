import { memoryEnvironment } from './environment.ts';
import { imageFiles, paths, user } from './image-files.ts';
import { type ImageArchive, type ImageConfig, imageArchive } from './oci-archive.ts';
import type { Provenance } from './provenance.ts';
import { tarArchive } from './tar-archive.ts';

export interface Image extends ImageArchive {
  /** `host/repository:tag` */
  name: string;
  /** What it consists of: CycloneDX. */
  bill: string;
}

/** How a container of the image is run; what its arguments are, the manifests say. */
export const imageConfig = ({ version, revision, created }: Provenance): ImageConfig => ({
  Entrypoint: [`/${paths.node}`, `/${paths.program}`],
  Env: ['PATH=/bin', ...Object.entries(memoryEnvironment).map(([name, value]) => `${name}=${value}`)],
  User: `${user}:${user}`,
  WorkingDir: '/',
  StopSignal: 'SIGTERM',
  Labels: {
    'org.opencontainers.image.title': 'controller-sharding',
    'org.opencontainers.image.description': 'Controller sharding for Kubernetes: sharder and operators',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.created': created,
    ...(revision !== undefined && { 'org.opencontainers.image.revision': revision }),
  },
});

/** Makes the image, for the architecture of this machine. The same sources, Node and libraries make the same bytes. */
export async function buildImage(provenance: Provenance): Promise<Image> {
  const { runtime, programs, bill } = await imageFiles(provenance);
  const name = `localhost/controller-sharding:${provenance.version}`;
  const archive = await imageArchive({
    name,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    created: provenance.created,
    config: imageConfig(provenance),
    layers: [tarArchive(runtime), tarArchive(programs)],
  });
  return { ...archive, name, bill };
}
