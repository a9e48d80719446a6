import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';

export const ring = 'bench';
/** Of the owners, and of what they control. */
export const ownerResource = configMaps;
export const childResource = secrets;
