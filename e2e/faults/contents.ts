import { objectKey } from '@controller-sharding/shared/kube/types.ts';
import type { ConfigMap } from './history.ts';

/** What is compared of objects, by key; what is undefined is null, as in JSON. */
export type Contents = Map<string, [uid: string | null, resourceVersion: string | null, data: unknown]>;

export const contentsOf = (objects: ConfigMap[]): Contents =>
  new Map(
    objects.map(({ metadata: { namespace, name, uid, resourceVersion }, data }) => [
      objectKey({ namespace, name }),
      [uid ?? null, resourceVersion ?? null, data ?? null],
    ]),
  );
