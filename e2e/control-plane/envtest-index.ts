import { parse } from 'yaml';
import type { Environment } from './binary-cache.ts';
import { fetchChunks } from './fetch-chunks.ts';
import { KUBERNETES_VERSION } from './versions.ts';

const DEFAULT_INDEX_URL =
  'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';
const MAX_INDEX_BYTES = 4 * 1024 * 1024;

/** Go's words for platforms, which the archives' names have. */
const ARCHITECTURES: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  ppc64: 'ppc64le',
  s390x: 's390x',
};

/** An archive with etcd, kube-apiserver and kubectl, as controller-tools publishes it. */
export interface EnvtestArchive {
  /** Of Kubernetes, without `v`. */
  version: string;
  url: string;
  /** Hex. */
  sha512: string;
}

/** Where the index is: `ENVTEST_INDEX_URL`, else where controller-tools publishes it. */
export const envtestIndexUrl = (env: Environment): string => env['ENVTEST_INDEX_URL'] || DEFAULT_INDEX_URL;

/** Reads the index and picks the archive for this machine; undefined when it has none. */
export async function findEnvtestArchive(
  indexUrl: string,
  signal: AbortSignal | undefined,
): Promise<EnvtestArchive | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const { bytes } of fetchChunks(indexUrl, signal)) {
    chunks.push(bytes);
    size += bytes.length;
    if (size > MAX_INDEX_BYTES) throw new Error(`${indexUrl}: too large for an index of envtest releases`);
  }
  return chooseArchive(Buffer.concat(chunks).toString());
}

/** The wanted version, else the newest patch release of the same minor version (not every one is published). */
export function chooseArchive(
  indexText: string,
  platform: string = process.platform,
  architecture: string = process.arch,
): EnvtestArchive | undefined {
  const releases = mapping(mapping(parse(indexText))?.['releases']);
  if (!releases) throw new Error('The index of envtest releases has no releases');
  const wanted = KUBERNETES_VERSION.split('.').map(Number);
  const candidates = Object.keys(releases)
    .map((name) => /^v(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number))
    .filter((version) => version?.[0] === wanted[0] && version?.[1] === wanted[1])
    .map((version) => version?.[2] ?? 0)
    .toSorted((a, b) => rank(b) - rank(a));
  for (const patch of candidates) {
    const version = `${wanted[0]}.${wanted[1]}.${patch}`;
    const file = `envtest-v${version}-${platform}-${ARCHITECTURES[architecture]}.tar.gz`;
    const archive = mapping(mapping(releases[`v${version}`])?.[file]);
    const [url, sha512] = [archive?.['selfLink'], archive?.['hash']];
    if (typeof url === 'string' && typeof sha512 === 'string') return { version, url, sha512 };
  }
  return undefined;

  function rank(patch: number): number {
    return patch === wanted[2] ? Number.POSITIVE_INFINITY : patch;
  }
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const mapping = (value: unknown): Record<string, unknown> | undefined =>
  isMapping(value) ? value : undefined;
