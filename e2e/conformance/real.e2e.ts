import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { compare } from './generated/compare.ts';
import { readTranscripts } from './golden.ts';
import { MemoryWorld } from './memory-world.ts';
import { RealWorld } from './real-world.ts';
import { Stage } from './stage.ts';
import { suite } from './suite.ts';

/** Sequences are played in so many lines side by side, each with its own seed. */
const lines = 3;
const runsPerLine = 60;

let world: RealWorld;
let failed = false;
before(async () => {
  world = await RealWorld.start();
});
after(() => world.stop({ failed }));

describe('a real API server answers as recorded', { concurrency: 6 }, async () => {
  for (const [theme, scenarios] of Object.entries(suite)) {
    const transcripts = await readTranscripts(theme);
    for (const scenario of scenarios) {
      test(`${theme}: ${scenario.name}`, { timeout: 60_000 }, async () => {
        try {
          assert.deepEqual(await Stage.play(world, scenario), transcripts.get(scenario.name));
        } catch (error) {
          failed = true;
          throw error;
        }
      });
    }
  }
});

test('both API servers answer alike to whatever is done', { timeout: 180_000 }, async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const seeds = Array.from({ length: lines }, (_, line) => seed + line);
  const worlds = (): [MemoryWorld, RealWorld] => [new MemoryWorld(), world];
  await Promise.all(seeds.map((own) => compare({ worlds, runs: runsPerLine, seed: own })));
});
