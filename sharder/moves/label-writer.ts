import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isConflict, isInvalid, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import {
  type LabelChanges,
  type LabelPatchOptions,
  labelPatch,
} from '@controller-sharding/shared/sharding/label-patch.ts';
import type { MoveLimit } from './move-limit.ts';

/** `changed`: the labels are no longer those that were decided on; look again. `gone`: there is no such object. */
export type RelabelOutcome = 'done' | 'changed' | 'gone';

/** The leader's label writes: each only if the labels are those it was decided on, and only while it surely leads. */
export class LabelWriter {
  readonly #client: Pick<ApiClient, 'patchMetadata'>;
  readonly #fence: WriteFence;
  readonly #limit: Pick<MoveLimit, 'writing'>;

  /** `limit` is told how each write went. */
  constructor(
    client: Pick<ApiClient, 'patchMetadata'>,
    fence: WriteFence,
    limit: Pick<MoveLimit, 'writing'>,
  ) {
    this.#client = client;
    this.#fence = fence;
    this.#limit = limit;
  }

  /** Throws FencedError when this process may no longer be the leader, and whatever else the API server refuses. */
  async relabel(
    resource: Resource,
    object: PartialObject,
    changes: LabelChanges,
    options?: Pick<LabelPatchOptions, 'controllerUid'>,
  ): Promise<RelabelOutcome> {
    const timeoutMs = this.#fence.permit();
    const ended = this.#limit.writing();
    try {
      await this.#client.patchMetadata(resource, object.metadata, labelPatch(object, changes, options), {
        timeoutMs,
      });
      ended();
      return 'done';
    } catch (error) {
      const outcome = outcomeOf(error);
      ended(outcome === undefined ? error : undefined);
      if (outcome === undefined) throw error;
      return outcome;
    }
  }
}

function outcomeOf(error: unknown): RelabelOutcome | undefined {
  if (isNotFound(error)) return 'gone';
  return isInvalid(error) || isConflict(error) ? 'changed' : undefined;
}
