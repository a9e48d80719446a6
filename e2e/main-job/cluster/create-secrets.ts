import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { type CreateEvent, machineMs } from '../observer/events.ts';
import { secretNamed } from './objects.ts';

export interface CreateOptions {
  client: ApiClient;
  namespace: string;
  names: readonly string[];
  /** Requests at once. */
  concurrency: number;
  emit(event: CreateEvent): void;
}

/** Creates Secrets as a user would. A request that fails is told and not repeated. Returns how many were created. */
export async function createSecrets(options: CreateOptions, signal: AbortSignal): Promise<number> {
  const { client, namespace, emit } = options;
  const names = options.names.values();
  let created = 0;
  const work = async (): Promise<void> => {
    for (const name of names) {
      let error: string | undefined;
      try {
        await client.create(secrets, secretNamed(namespace, name), { signal });
        created++;
      } catch (failed) {
        signal.throwIfAborted();
        error = failed instanceof Error ? failed.message : String(failed);
      }
      emit({ kind: 'create', at: machineMs(), object: `${namespace}/${name}`, error });
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  return created;
}
