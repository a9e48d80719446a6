import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { METRICS_SERVER_VERSION } from '../control-plane/versions.ts';
import { writeProgramImage } from './program-image.ts';

const manifest = new URL('./metrics-server.yaml', import.meta.url);
const archive = fileURLToPath(new URL('../../dist/metrics-server.tar', import.meta.url));

export interface MetricsServer {
  /** OCI archive. */
  archive: string;
  /** What is to be applied on a cluster whose nodes have the image. */
  manifests: string;
}

/** metrics-server for a cluster of this machine's own; built at the first time. */
export async function metricsServer(): Promise<MetricsServer> {
  const { 'metrics-server': program } = await ensureBinaries(['metrics-server']);
  const name = `localhost/metrics-server:${METRICS_SERVER_VERSION}`;
  await mkdir(dirname(archive), { recursive: true });
  await writeProgramImage({ name, program, user: 65_532 }, archive);
  return {
    archive,
    manifests: (await readFile(manifest, 'utf8')).replace('image: metrics-server', `image: ${name}`),
  };
}
