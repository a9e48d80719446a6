import { hash } from 'node:crypto';
import type { KubeObject, Labels } from '@controller-sharding/shared/kube/types.ts';
import { isShardingLabel } from '@controller-sharding/shared/sharding/contract.ts';

export interface Secret extends KubeObject {
  /** Values in base64; the API may give an empty one as null. */
  data?: Record<string, string | null>;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  immutable?: boolean;
}

const namePrefix = 'checksums-';
const longestName = 253;
const longestLabelValue = 63;

/**
 * The ConfigMap that belongs to a Secret: for each key of its data the SHA-256 of the decoded value, in hex. It has
 * the Secret's labels, except those by which objects are given to shards, and the label `secret` with its name; no
 * annotations, since `kubectl apply` keeps the Secret's data in one. It is not immutable even if the Secret is: a
 * Secret deleted and created anew changes it.
 */
export function checksumsOf(secret: Secret): ConfigMap {
  const { name, namespace, uid, labels = {} } = secret.metadata;
  if (namespace === undefined || uid === undefined)
    throw new TypeError(`secret ${name} was not read from the API`);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: namePrefix + shortened(name, longestName - namePrefix.length),
      namespace,
      labels: { ...withoutShardingLabels(labels), secret: shortened(name, longestLabelValue) },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Secret', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    data: Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [
        key,
        sha256(Buffer.from(value ?? '', 'base64')),
      ]),
    ),
  };
}

const sha256 = (data: string | Buffer): string => hash('sha256', data, 'hex');

const withoutShardingLabels = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([label]) => !isShardingLabel(label)));

/**
 * A name that fits into `longest` characters: the name itself, else its beginning and a part of its hash, which keeps
 * names with the same beginning apart. It stays a valid object name and label value.
 */
function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const suffix = `-${sha256(name).slice(0, 16)}`;
  return name.slice(0, longest - suffix.length).replace(/[.-]+$/, '') + suffix;
}
