import { holderOf, type Lease } from '../lease/lease.ts';
import { handedOverAnnotation } from './contract.ts';

/** Whether the Lease was released for the next process of its workload, and nobody has taken it since. */
export const isHandedOver = (lease: Lease): boolean =>
  holderOf(lease) === '' && lease.metadata.annotations?.[handedOverAnnotation] !== undefined;
