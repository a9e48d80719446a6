import type { KubeObject, OwnerReference } from '../kube/types.ts';

/** For what a reconcile makes for `owner`, which has been read: it goes with it, and changes of it reconcile the owner. */
export function controllerReference(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  if (apiVersion === undefined || kind === undefined || uid === undefined) {
    throw new TypeError(`${name} can't own anything: it was not read from the API server`);
  }
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
