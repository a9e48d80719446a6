import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, ObjectRef } from '@controller-sharding/shared/kube/types.ts';

const namespaceCount = 10;
const atOnce = 48;
/** Bytes of an object's data. */
const dataBytes = 2_000;

interface ConfigMap extends KubeObject {
  data: Record<string, string>;
}

/**
 * Creates that many ConfigMaps of 2 KB, in ten namespaces, with the labels and annotations that objects usually have.
 */
export async function createConfigMaps(
  client: ApiClient,
  count: number,
  { signal, progress }: { signal: AbortSignal; progress(line: string): void },
): Promise<ObjectRef[]> {
  for (let index = 0; index < namespaceCount; index += 1) {
    await client.create(namespaces, { metadata: { name: namespaceName(index) } }, { signal });
  }
  const refs: ObjectRef[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const { metadata } = await client.create(configMaps, configMap(index), { signal, timeoutMs: 60_000 });
      refs.push({ namespace: metadata.namespace, name: metadata.name });
      if (index % 10_000 === 9_999) progress(`${index + 1} of ${count} objects`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return refs;
}

/** Both sides list it first, so that connections are open and code is compiled: a tenth of the objects. */
export const warmUpNamespace = 'bench-0';

const namespaceName = (index: number): string => `bench-${index % namespaceCount}`;

function configMap(index: number): ConfigMap {
  const name = `settings-${String(index).padStart(6, '0')}`;
  const line = `service.endpoint.${index}=https://service-${index}.example.org:8443/api/v1?retry=3&timeout=30s\n`;
  return {
    metadata: {
      name,
      namespace: namespaceName(index),
      labels: {
        'app.kubernetes.io/name': `app-${index % 100}`,
        'app.kubernetes.io/instance': name,
        'app.kubernetes.io/managed-by': 'bench',
      },
      annotations: { 'example.org/checksum': index.toString(16).padStart(64, '0') },
    },
    data: {
      'application.properties': line.repeat(Math.ceil(dataBytes / line.length)).slice(0, dataBytes - 40),
      mode: 'production',
      'log-level': 'info',
    },
  };
}
