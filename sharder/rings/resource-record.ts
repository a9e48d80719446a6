import type { ApiClient, JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import { isConflict, isFailedTest, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { controllerRings } from '@controller-sharding/shared/kube/resources.ts';
import { resourcesAnnotation, sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing, RingResource } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { recordOfSpec, recordWith } from './labelled-resources.ts';

/**
 * Keeps, in an annotation of each ring, the resources whose objects may carry its labels. It is written before any of
 * them is labelled, so that a leader who sees only a later spec knows what has left the ring.
 */
export class ResourceRecord {
  readonly #client: Pick<ApiClient, 'patchMetadata'>;

  constructor(client: Pick<ApiClient, 'patchMetadata'>) {
    this.#client = client;
  }

  /** Adds what the spec names. False: the ring has changed meanwhile, to be asked again with what it is then. */
  async add(ring: ControllerRing, signal: AbortSignal): Promise<boolean> {
    return this.#write(ring, recordWith(ring), signal);
  }

  /** Drops what left: nothing of it carries a label any more. False as with `add`. */
  async drop(ring: ControllerRing, signal: AbortSignal): Promise<boolean> {
    return this.#write(ring, recordOfSpec(ring), signal);
  }

  async #write(ring: ControllerRing, resources: RingResource[], signal: AbortSignal): Promise<boolean> {
    const { name, uid, generation, annotations } = ring.metadata;
    const before = annotations?.[resourcesAnnotation];
    const value = JSON.stringify(resources);
    if (before === value) return true;
    const path = `/metadata/annotations/${resourcesAnnotation.replaceAll('/', '~1')}`;
    const operations: JsonPatchOperation[] = [
      { op: 'test', path: '/metadata/uid', value: uid },
      // The spec is the one that was read; the status may be another.
      { op: 'test', path: '/metadata/generation', value: generation },
    ];
    if (annotations === undefined) {
      operations.push({ op: 'test', path: '/metadata/annotations', value: null });
      operations.push({ op: 'add', path: '/metadata/annotations', value: { [resourcesAnnotation]: value } });
    } else {
      operations.push({ op: 'test', path, value: before ?? null }, { op: 'add', path, value });
    }
    try {
      const options = { signal, timeoutMs: sharderRequestMs };
      await this.#client.patchMetadata(controllerRings, { name }, { type: 'json', operations }, options);
      return true;
    } catch (error) {
      if (isNotFound(error) || isFailedTest(error) || isConflict(error)) return false;
      throw error;
    }
  }
}
