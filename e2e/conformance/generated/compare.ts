import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Stage } from '../stage.ts';
import type { World } from '../world.ts';
import { scenarioOf } from './play.ts';
import { sequences } from './steps.ts';

export interface ComparisonOptions {
  /** Makes the API servers to compare, for each sequence. */
  worlds(): [World, World];
  runs: number;
  seed: number;
}

/** Throws with the shortest sequence found whose transcripts differ. */
export async function compare({ worlds, runs, seed }: ComparisonOptions): Promise<void> {
  const property = fc.asyncProperty(sequences, async (sequence) => {
    const [one, other] = worlds();
    const scenario = scenarioOf(sequence);
    assert.deepEqual(await Stage.play(one, scenario), await Stage.play(other, scenario));
  });
  await fc.assert(property, { seed, numRuns: runs });
}
