import type { JsonPatchOperation, Patch } from '../kube/api-client.ts';
import type { Labels, PartialObject } from '../kube/types.ts';
import { labelPath } from './contract.ts';

/** Labels to set (a string) or to remove (undefined). */
export type LabelChanges = Record<string, string | undefined>;

export interface LabelPatchOptions {
  /** Also a precondition: the resourceVersion that the decision was made on. */
  resourceVersion?: boolean;
  /** Also a precondition: the uid of the object's controller, at the place where it was read. */
  controllerUid?: boolean;
}

/**
 * A JSON patch that changes labels only if the object is still the one that was read (uid) and these labels still have
 * the values that were read; the API server answers 422 when not. Other labels and the rest of the object may change.
 */
export function labelPatch(
  object: PartialObject,
  changes: LabelChanges,
  options: LabelPatchOptions = {},
): Patch {
  const { metadata } = object;
  const operations: JsonPatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: metadata.uid }];
  if (options.resourceVersion) {
    operations.push({ op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion });
  }
  if (options.controllerUid) {
    const index = (metadata.ownerReferences ?? []).findIndex((reference) => reference.controller === true);
    const path = `/metadata/ownerReferences/${index}`;
    operations.push(
      { op: 'test', path: `${path}/uid`, value: metadata.ownerReferences?.[index]?.uid },
      { op: 'test', path: `${path}/controller`, value: true },
    );
  }
  const labels: Labels | undefined = metadata.labels;
  if (labels === undefined || Object.keys(labels).length === 0) {
    const added = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    // `add` replaces the whole map: only where there is none.
    operations.push({ op: 'test', path: '/metadata/labels', value: null });
    operations.push({ op: 'add', path: '/metadata/labels', value: added });
    return { type: 'json', operations };
  }
  for (const [label, value] of Object.entries(changes)) {
    const path = labelPath(label);
    const present = labels[label];
    operations.push({ op: 'test', path, value: present ?? null });
    if (value !== undefined) operations.push({ op: 'add', path, value });
    else if (present !== undefined) operations.push({ op: 'remove', path });
  }
  return { type: 'json', operations };
}
