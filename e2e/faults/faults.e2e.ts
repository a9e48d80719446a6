import { after, before, describe, test } from 'node:test';
import { answerCases } from './answer-cases.ts';
import { breakCases } from './break-cases.ts';
import { connectionCases } from './connection-cases.ts';
import { FaultWorld, runCase } from './fixture.ts';
import { freeze } from './frozen-process.ts';
import { outages, runOutage } from './outages.ts';
import { streamCases } from './stream-cases.ts';

/** As many as leave the machine's cores time to breathe. */
const concurrency = 12;

describe('an informer in spite of faults', { timeout: 300_000 }, () => {
  let world: FaultWorld;
  let failed = false;
  before(async () => {
    world = await FaultWorld.start();
  });
  after(() => world.stop(failed));
  const noted = async (run: Promise<void>): Promise<void> => {
    try {
      await run;
    } catch (error) {
      failed = true;
      throw error;
    }
  };

  describe('on the way to the API server', { concurrency }, () => {
    for (const faultCase of [...breakCases, ...answerCases, ...streamCases, ...connectionCases]) {
      test(faultCase.name, () => noted(runCase(world, faultCase)));
    }
    test('the process is frozen for two minutes', () => noted(freeze(world, { cut: false })));
    test('the process is frozen for two minutes, and its connections end', () =>
      noted(freeze(world, { cut: true })));
  });

  describe('of the control plane', () => {
    for (const outage of outages) test(outage.name, () => noted(runOutage(world, outage)));
  });
});
