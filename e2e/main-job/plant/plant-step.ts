import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../../harness/processes.ts';
import { cordonSurely } from '../script/cordon.ts';
import { StepError } from '../script/errors.ts';
import type { Step } from '../script/steps.ts';
import { brokenRule, type Plant } from './plants.ts';

const rogueProgram = fileURLToPath(new URL('./rogue.ts', import.meta.url));

/** A step in which a process of its own breaks a rule, and which ends when the observer has seen it. */
export const plantStep = (plant: Plant): Step => ({
  name: 'plant',
  moves: plant === 'move' ? 'nothing' : 'any',
  level: false,
  deadlineMs: 15_000,
  async act(job, signal) {
    const { observer, surroundings, namespace, ring } = job;
    const secret = observer.world.restingSecret();
    const other = job.fleet.replicas.find((name) => name !== secret?.shard);
    if (secret === undefined || other === undefined) throw new StepError('there is no Secret to plant on');
    if (plant === 'cordon') await cordonSurely(job, other, signal);
    const trace = job.traceFile('rogue');
    const name = secret.object.slice(namespace.length + 1);
    const { kubeconfig, folder } = surroundings;
    const rogue = await startProcess({
      name: 'rogue',
      args: [rogueProgram, plant, kubeconfig, ring, namespace, name, other, trace],
      logFile: join(folder, 'rogue.log'),
      signal,
    });
    const { code } = await rogue.exited;
    if (code !== 0) throw new StepError(`the rogue ended with ${code}; see ${rogue.logFile}`);
    return `a rogue process was let loose on ${secret.object} (${plant})`;
  },
  missing: ({ observer }) =>
    observer.checker.violations.some(({ rule }) => rule === brokenRule[plant])
      ? undefined
      : `the planted violation of "${brokenRule[plant]}" was not seen`,
});
