import { ApiError, TransportError } from './errors.ts';
import type { Transport } from './transport.ts';
import { type Resource, resourceName } from './types.ts';

/** By `resourceName`; of each resource the version that its group prefers among those that have it. */
export type ResourceMap = Map<string, Resource>;

const aggregatedAccept = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

interface GroupDiscovery {
  metadata: { name?: string };
  /** In order of preference. */
  versions?: {
    version: string;
    resources?: { resource: string; responseKind?: { kind?: string }; scope: 'Namespaced' | 'Cluster' }[];
  }[];
}

interface AggregatedDiscovery {
  kind: 'APIGroupDiscoveryList';
  items?: GroupDiscovery[] | null;
}

interface LegacyVersions {
  kind: 'APIVersions';
  versions: string[];
}

interface LegacyGroups {
  kind: 'APIGroupList';
  groups: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[];
}

interface LegacyResources {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

/** Everything the API server serves: by aggregated discovery (2 requests), else one request per group and version. */
export async function discover(transport: Transport): Promise<ResourceMap> {
  const map: ResourceMap = new Map();
  for (const root of ['/api', '/apis']) {
    const document = await read<AggregatedDiscovery | LegacyVersions | LegacyGroups>(transport, root);
    switch (document.kind) {
      case 'APIGroupDiscoveryList':
        addAggregated(map, document);
        break;
      case 'APIVersions':
        for (const version of document.versions) await addVersion(map, transport, '', version);
        break;
      case 'APIGroupList':
        for (const { name, versions, preferredVersion } of document.groups) {
          const ordered = new Set([preferredVersion, ...versions].flatMap((entry) => entry?.version ?? []));
          for (const version of ordered) await addVersion(map, transport, name, version);
        }
        break;
      default:
        throw new TransportError('KUBE_RESPONSE', `the answer for ${root} is not a discovery document`);
    }
  }
  return map;
}

function addAggregated(map: ResourceMap, document: AggregatedDiscovery): void {
  for (const { metadata, versions } of document.items ?? []) {
    for (const { version, resources } of versions ?? []) {
      for (const { resource, responseKind, scope } of resources ?? []) {
        add(map, {
          group: metadata.name ?? '',
          version,
          resource,
          kind: responseKind?.kind ?? '',
          namespaced: scope === 'Namespaced',
        });
      }
    }
  }
}

async function addVersion(
  map: ResourceMap,
  transport: Transport,
  group: string,
  version: string,
): Promise<void> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  try {
    const { resources } = await read<LegacyResources>(transport, path);
    for (const { name, kind, namespaced } of resources ?? []) {
      if (!name.includes('/')) add(map, { group, version, resource: name, kind, namespaced }); // no subresources
    }
  } catch (error) {
    // An extension API server that is down takes only its own group along.
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status < 500)) throw error;
  }
}

function add(map: ResourceMap, resource: Resource): void {
  const name = resourceName(resource);
  if (!map.has(name)) map.set(name, resource);
}

const read = <T>(transport: Transport, path: string): Promise<T> =>
  transport.json<T>({ method: 'GET', path, headers: { accept: aggregatedAccept } });
