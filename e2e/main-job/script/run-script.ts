import type { Job } from '../job.ts';
import { openPoints } from '../observer/converged.ts';
import { type MachineMs, leaderName, machineMs } from '../observer/events.ts';
import { type Plant, brokenRule } from '../plant/plants.ts';
import { plantStep } from '../plant/plant-step.ts';
import { endLine, stepLine, violationLine } from './report.ts';
import { RuleBrokenError, StepError } from './rule-broken.ts';
import { type Step, script } from './steps.ts';

const lookEveryMs = 20;

export interface ScriptOptions {
  secrets: number;
  replicas: number;
  plant: Plant | undefined;
  print(line: string): void;
}

/**
 * Plays the script, a line for each step. Throws RuleBrokenError after the step in which a rule was broken, StepError
 * for a step that didn't come to rest in time.
 */
export async function runScript(job: Job, options: ScriptOptions, signal: AbortSignal): Promise<void> {
  const { secrets, replicas, plant, print } = options;
  const steps = script(secrets, replicas);
  if (plant !== undefined) steps.splice(1, steps.length, plantStep(plant));
  for (const step of steps) await runStep(job, step, print, signal);
  if (plant !== undefined) throw new StepError(`the planted violation of "${brokenRule[plant]}" was not seen`);
  const { world, checker } = job.observer;
  const summary = world.summary();
  // Each Secret was reconciled at least once: an observer that saw less was blind.
  if (checker.checked.reconciles < summary.secrets) {
    throw new StepError(`only ${checker.checked.reconciles} reconciles were traced`);
  }
  print(endLine(summary, checker));
}

async function runStep(
  job: Job,
  step: Step,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { observer } = job;
  const { world, checker } = observer;
  const { name, moves } = step;
  const before = { secrets: world.assignments('secrets'), configMaps: world.assignments('configmaps') };
  const began = machineMs();
  observer.emit({ kind: 'step-begin', at: began, step: name, moves });
  const done = await job.orFailure(step.act(job, signal));
  const restAt = await job.orFailure(untilRest(job, step, signal));
  // The end counts from the first moment after the rest, so that all that led to it comes before.
  observer.emit({ kind: 'step-end', at: machineMs(), step: name, moves });
  await job.orFailure(observer.judged(signal));
  const result = {
    ...{ name, done, tookMs: restAt - began },
    movedSecrets: moved(before.secrets, world.assignments('secrets')),
    movedConfigMaps: moved(before.configMaps, world.assignments('configmaps')),
    longest: checker.longestUnowned,
    leader: leaderName(world.leader),
  };
  print(stepLine(result));
  if (checker.violationCount === 0) return;
  for (const violation of checker.violations) print(violationLine(violation));
  throw new RuleBrokenError(checker.violationCount);
}

/** Resolves to when the ring came to rest. */
async function untilRest(job: Job, step: Step, signal: AbortSignal): Promise<MachineMs> {
  const { clock, observer } = job;
  const deadline = machineMs() + step.deadlineMs;
  for (;;) {
    const now = machineMs();
    const missing = step.missing?.(job);
    const points = missing === undefined ? [] : [missing];
    points.push(...openPoints(observer.world.summary(), job.secrets));
    if (points.length === 0) return now;
    // A broken rule may be what keeps it from coming to rest.
    if (observer.checker.violationCount > 0 || now > deadline) {
      for (const violation of observer.checker.violations) job.print(violationLine(violation));
      if (observer.checker.violationCount > 0) throw new RuleBrokenError(observer.checker.violationCount);
      const restarts = job.fleet.restarts.length > 0 ? `; restarted: ${job.fleet.restarts.join(', ')}` : '';
      const waited = step.deadlineMs / 1000;
      throw new StepError(
        `step "${step.name}" is not at rest after ${waited} s: ${points.join(', ')}${restarts}`,
      );
    }
    await clock.sleep(lookEveryMs, signal);
  }
}

function moved(
  before: ReadonlyMap<string, string | undefined>,
  now: ReadonlyMap<string, string | undefined>,
): number {
  return [...before].filter(([uid, shard]) => shard !== undefined && now.has(uid) && now.get(uid) !== shard)
    .length;
}
