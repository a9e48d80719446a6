import { readFile } from 'node:fs/promises';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { controllerRingKind } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { parse } from 'yaml';

export const ringName = 'checksum-controller';
/** Name of the Lease of the sharders' election. */
export const leaderLease = 'sharder';

/** The definition of the ControllerRing, as it is installed by users. */
export async function ringDefinition(): Promise<KubeObject> {
  const file = new URL('../../../manifests/crds/controllerring.yaml', import.meta.url);
  const definition: KubeObject = parse(await readFile(file, 'utf8'));
  return definition;
}

/** Secrets and their ConfigMaps, in one namespace only: nothing else in the cluster is touched. */
export const checksumRing = (namespace: string): ControllerRing => ({
  apiVersion: controllerRingApiVersion,
  kind: controllerRingKind,
  metadata: { name: ringName },
  spec: {
    resources: [
      { group: '', resource: 'secrets', controlledResources: [{ group: '', resource: 'configmaps' }] },
    ],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  },
});

export const namespaceNamed = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

interface Secret extends KubeObject {
  stringData: Record<string, string>;
}

export const secretNamed = (namespace: string, name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name },
  stringData: { user: name, password: `${name}-password` },
});
