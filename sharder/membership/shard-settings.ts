import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import {
  cordonedAnnotation,
  drainAnnotation,
  settlingAnnotation,
  weightAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import {
  greatestWeight,
  leastWeight,
  parseWeight,
} from '@controller-sharding/shared/sharding/shard-weight.ts';

/** What the annotations on a shard's Lease say. */
export interface ShardSettings {
  /** Its part of the ring, in proportion to the other shards' weights. */
  weight: number;
  /** It gets nothing new, and keeps what it has. */
  cordoned: boolean;
  /** It gives everything away. */
  draining: boolean;
  /** Its name is new to it: it waits a while before it lists, and what it is given waits with it. */
  settling: boolean;
  /** What is wrong with the annotations, a sentence for each; the default counts in its place. */
  problems: readonly string[];
}

const shownCharacters = 40;

export function shardSettings(lease: Lease): ShardSettings {
  const { annotations = {} } = lease.metadata;
  const problems: string[] = [];
  const read = <T>(
    annotation: string,
    fallback: T,
    parse: (text: string) => T | undefined,
    wanted: string,
  ): T => {
    const text = annotations[annotation];
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
    problems.push(
      `Annotation ${annotation} is ${JSON.stringify(shown)}: it must be ${wanted}; ${String(fallback)} is used.`,
    );
    return fallback;
  };
  return {
    weight: read(
      weightAnnotation,
      1,
      parseWeight,
      `a number from ${leastWeight} to ${greatestWeight}, as "2.5"`,
    ),
    cordoned: read(cordonedAnnotation, false, parseBoolean, '"true" or "false"'),
    draining: read(drainAnnotation, false, parseBoolean, '"true" or "false"'),
    settling: annotations[settlingAnnotation] !== undefined,
    problems,
  };
}

export const sameSettings = (a: ShardSettings, b: ShardSettings): boolean =>
  a.weight === b.weight &&
  a.cordoned === b.cordoned &&
  a.draining === b.draining &&
  a.settling === b.settling;

const parseBoolean = (text: string): boolean | undefined =>
  text === 'true' ? true : text === 'false' ? false : undefined;
