import { certificateSecret } from '@controller-sharding/sharder/webhook/certificates.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import {
  ApiError,
  isAlreadyExists,
  isNotFound,
  TransportError,
} from '@controller-sharding/shared/kube/errors.ts';
import {
  controllerRings,
  customResourceDefinitions,
  leases,
  mutatingWebhookConfigurations,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import {
  type KubeObject,
  type ObjectRef,
  objectKey,
  type Resource,
} from '@controller-sharding/shared/kube/types.ts';
import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import { sharderNamespace } from '@controller-sharding/shared/sharding/contract.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { checksumRing, leaderLease, namespaceNamed, ringDefinition, ringName } from './objects.ts';

const goneTimeoutMs = 60_000;

/** The cluster can't be used for this; the message says why. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly code = 'CLUSTER';
}

/** What was made in a cluster, the newest first, to be removed again. */
export class Made {
  readonly #client: ApiClient;
  readonly #made: { resource: Resource; ref: ObjectRef }[] = [];

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Creates the object if it is absent; notes it then. */
  async ensure(resource: Resource, object: KubeObject, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.create(resource, object, { signal });
      this.note(resource, object.metadata);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  /** Notes that something is going to be made by others, because of this run. */
  note(resource: Resource, { namespace, name }: ObjectRef): void {
    this.#made.unshift({ resource, ref: { namespace, name } });
  }

  /** Removes everything and waits until it is gone. Throws ClusterError that names what is left after a minute. */
  async remove(signal: AbortSignal): Promise<void> {
    let left: string[] = [];
    const look = async (): Promise<boolean> => {
      left = [];
      for (const { resource, ref } of this.#made) {
        if (await this.#isGone(resource, ref, signal)) continue;
        left.push(`${resource.kind} ${objectKey(ref)}`);
      }
      return left.length === 0;
    };
    await waitFor('clean-up', look, { timeoutMs: goneTimeoutMs, everyMs: 200, signal }).catch(
      (error: unknown) => {
        if (left.length === 0) throw error;
        throw new ClusterError(`not removed from the cluster after a minute: ${left.join(', ')}`);
      },
    );
  }

  /** Asks for the deletion, whatever became of the last request for it. */
  async #isGone(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.delete(resource, ref, { signal });
      return false;
    } catch (error) {
      signal.throwIfAborted();
      return isNotFound(error);
    }
  }
}

/** Throws ClusterError when the cluster can't be reached, or is in use by a sharder of its own. */
export async function checkCluster(client: ApiClient, url: string, signal: AbortSignal): Promise<void> {
  try {
    await client.get(namespaces, { name: 'default' }, { signal, timeoutMs: 10_000 });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApiError || error instanceof TransportError) {
      throw new ClusterError(`can't use the cluster at ${url}: ${error.message}`);
    }
    throw error;
  }
  // Unknown as long as the definition is absent, which is a 404, too.
  if (await exists(client, controllerRings, { name: ringName }, signal)) {
    throw new ClusterError(`the cluster at ${url} has a ControllerRing "${ringName}" already`);
  }
  const holder = await leaderOf(client, signal);
  if (holder !== '') {
    const lease = `Lease ${sharderNamespace}/${leaderLease}`;
    throw new ClusterError(`a sharder runs in the cluster at ${url} already: ${holder} holds the ${lease}`);
  }
}

/** Makes what the processes need: the definition, the namespaces and the ring. */
export async function prepareCluster(
  client: ApiClient,
  made: Made,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const definition = await ringDefinition();
  await made.ensure(customResourceDefinitions, definition, signal);
  await made.ensure(namespaces, namespaceNamed(sharderNamespace), signal);
  for (const [resource, name] of [
    [secrets, certificateSecret],
    [leases, leaderLease],
  ] as const) {
    const ref = { namespace: sharderNamespace, name };
    if (!(await exists(client, resource, ref, signal))) made.note(resource, ref);
  }
  await made.ensure(namespaces, namespaceNamed(namespace), signal);
  // Served a moment after its definition was created.
  await waitFor(
    'the API server to serve ControllerRings',
    async () => {
      try {
        await made.ensure(controllerRings, checksumRing(namespace), signal);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    { signal },
  );
  made.note(mutatingWebhookConfigurations, { name: `controllerring-${ringName}` });
}

async function exists(
  client: ApiClient,
  resource: Resource,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await client.getMetadata(resource, ref, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function leaderOf(client: ApiClient, signal: AbortSignal): Promise<string> {
  try {
    const ref = { namespace: sharderNamespace, name: leaderLease };
    return holderOf(await client.get<Lease>(leases, ref, { signal }));
  } catch (error) {
    if (isNotFound(error)) return '';
    throw error;
  }
}
