import type { ObjectMeta } from '@controller-sharding/shared/kube/types.ts';
import type { Theme, ThemeSpec, Website } from './resources.ts';

/** As it is read from the API server. */
export const website = (metadata: Partial<ObjectMeta> = {}, theme = 'plain'): Website => ({
  apiVersion: 'webhosting.timebertt.dev/v1alpha1',
  kind: 'Website',
  metadata: { name: 'shop', namespace: 'project', uid: 'uid-1', generation: 1, ...metadata },
  spec: { theme },
});

export const theme = (spec: Partial<ThemeSpec> = {}, name = 'plain'): Theme => ({
  apiVersion: 'webhosting.timebertt.dev/v1alpha1',
  kind: 'Theme',
  metadata: { name },
  spec: { color: 'darkblue', fontFamily: 'Georgia, serif', ...spec },
});
