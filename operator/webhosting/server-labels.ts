import { hash } from 'node:crypto';
import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import { operatorName, type Website } from './resources.ts';

/**
 * Name of what is made for a Website. A Website that was deleted and created again has others: what belonged to the old
 * one may still be there.
 */
export const serverName = ({ metadata: { name, uid = '' } }: Website): string =>
  `${name}-${hash('sha256', uid, 'hex').slice(0, 6)}`;

/** Labels of what is made for a Website, and of its pods. */
export const serverLabels = (website: Website): Labels => ({
  app: 'website',
  'managed-by': operatorName,
  server: serverName(website),
  website: website.metadata.name,
});
