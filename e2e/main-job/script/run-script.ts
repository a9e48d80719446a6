import type { Job } from '../job.ts';
import { openPoints } from '../observer/converged.ts';
import { leaderName, type MachineMs, machineMs } from '../observer/events.ts';
import { plantStep } from '../plant/plant-step.ts';
import type { Plant } from '../plant/plants.ts';
import { RuleBrokenError, StepError } from './errors.ts';
import { endLine, stepLine, violationLine } from './report.ts';
import { type Step, script } from './steps.ts';

const lookEveryMs = 20;

export interface ScriptOptions {
  secrets: number;
  replicas: number;
  plant: Plant | undefined;
  print(line: string): void;
}

/**
 * Plays the script, a line for each step. Throws RuleBrokenError in the step in which a broken rule was seen, StepError
 * for a step that didn't come to rest in time.
 */
export async function runScript(job: Job, options: ScriptOptions, signal: AbortSignal): Promise<void> {
  const { secrets, replicas, plant, print } = options;
  const steps = script(secrets, replicas);
  if (plant !== undefined) steps.splice(2, steps.length, plantStep(plant));
  const { world, checker } = job.observer;
  const watched = job.watched(signal);
  for (const step of steps) {
    const line = await runStep(job, step, watched);
    if (line !== undefined) print(line);
    for (const violation of checker.violations) print(violationLine(violation));
    if (checker.violationCount > 0) throw new RuleBrokenError(checker.violationCount);
  }
  const summary = world.summary();
  // Each Secret was reconciled at least once: an observer that saw less was blind.
  if (checker.checked.reconciles < summary.secrets) {
    throw new StepError(`only ${checker.checked.reconciles} reconciles were traced`);
  }
  print(endLine(summary, checker));
}

/** Returns the step's line; undefined when it was cut short by a broken rule. */
async function runStep(job: Job, step: Step, signal: AbortSignal): Promise<string | undefined> {
  const { observer } = job;
  const { world, checker } = observer;
  const { name, moves } = step;
  const before = { secrets: world.assignments('secrets'), configMaps: world.assignments('configmaps') };
  const began = machineMs();
  observer.emit({ kind: 'step-begin', at: began, step: name, moves });
  const done = await step.act(job, signal);
  const restAt = await untilRest(job, step, signal);
  if (restAt === undefined) return undefined;
  observer.emit({ kind: 'step-end', at: machineMs(), step: name, moves });
  await observer.judged(signal);
  return stepLine({
    name,
    done,
    tookMs: restAt - began,
    movedSecrets: moved(before.secrets, world.assignments('secrets')),
    movedConfigMaps: moved(before.configMaps, world.assignments('configmaps')),
    longest: checker.longestUnowned,
    leader: leaderName(world.leader),
  });
}

/** Resolves to when the ring came to rest; to undefined when a broken rule was seen, which may be what prevents it. */
async function untilRest(job: Job, step: Step, signal: AbortSignal): Promise<MachineMs | undefined> {
  const { clock, observer, fleet } = job;
  const deadline = machineMs() + step.deadlineMs;
  for (let seen = -1; ; await clock.sleep(lookEveryMs, signal)) {
    if (observer.checker.violationCount > 0) return undefined;
    const now = machineMs();
    const changed = observer.changes !== seen;
    if (!changed && now <= deadline) continue;
    seen = observer.changes;
    const missing = step.missing?.(job);
    const points = [
      ...(missing === undefined ? [] : [missing]),
      ...openPoints(observer.world.summary(), { secrets: job.secrets, level: step.level }),
    ];
    if (points.length === 0) return now;
    if (now <= deadline) continue;
    if (fleet.restarts.length > 0) points.push(`restarted: ${fleet.restarts.join(', ')}`);
    throw new StepError(
      `"${step.name}" is not at rest after ${step.deadlineMs / 1000} s: ${points.join('; ')}`,
    );
  }
}

/** Objects that had a shard and now have another, or none. */
const moved = (
  before: ReadonlyMap<string, string | undefined>,
  now: ReadonlyMap<string, string | undefined>,
): number =>
  [...before].filter(([uid, shard]) => shard !== undefined && now.has(uid) && now.get(uid) !== shard).length;
