import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isConflict, isFailedTest, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import {
  type LabelChanges,
  type LabelPatchOptions,
  labelPatch,
} from '@controller-sharding/shared/sharding/label-patch.ts';
import type { MoveLimit } from './move-limit.ts';
import type { Refusals } from './refusals.ts';

export interface LabelWriterOptions {
  client: Pick<ApiClient, 'patchMetadata'>;
  fence: WriteFence;
  /** Told how each write went. */
  limit: Pick<MoveLimit, 'writing'>;
  /** Told what each write that failed ended with. */
  refusals: Pick<Refusals, 'note'>;
}

/** `changed`: the labels are no longer those that were decided on; look again. `gone`: there is no such object. */
export type RelabelOutcome = 'done' | 'changed' | 'gone';

/** The leader's label writes: each only if the labels are those it was decided on, and only while it surely leads. */
export class LabelWriter {
  readonly #options: LabelWriterOptions;

  constructor(options: LabelWriterOptions) {
    this.#options = options;
  }

  /** Throws FencedError when this process may no longer be the leader, and whatever else the API server refuses. */
  async relabel(
    resource: Resource,
    object: PartialObject,
    changes: LabelChanges,
    options?: Pick<LabelPatchOptions, 'controllerUid'>,
  ): Promise<RelabelOutcome> {
    const { client, fence, limit, refusals } = this.#options;
    const timeoutMs = fence.permit();
    const ended = limit.writing();
    try {
      await client.patchMetadata(resource, object.metadata, labelPatch(object, changes, options), {
        timeoutMs,
      });
      ended();
      return 'done';
    } catch (error) {
      const outcome = outcomeOf(error);
      ended(outcome === undefined ? error : undefined);
      if (outcome !== undefined) return outcome;
      refusals.note(object, error);
      throw error;
    }
  }
}

function outcomeOf(error: unknown): RelabelOutcome | undefined {
  if (isNotFound(error)) return 'gone';
  return isFailedTest(error) || isConflict(error) ? 'changed' : undefined;
}
