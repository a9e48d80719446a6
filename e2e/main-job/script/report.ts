import type { Checker } from '../observer/checker.ts';
import type { Unowned } from '../observer/rules/ownership.ts';
import { seconds, type Violation } from '../observer/rules/rule.ts';
import type { Summary } from '../observer/world.ts';

/** What came of a step. */
export interface StepResult {
  name: string;
  /** What was done. */
  done: string;
  movedSecrets: number;
  movedConfigMaps: number;
  /** From the trigger until the ring was at rest. */
  tookMs: number;
  longest: Unowned | undefined;
  leader: string;
}

const nameWidth = 8;

/** One line. */
export function stepLine(result: StepResult): string {
  const { name, done, movedSecrets, movedConfigMaps, tookMs, longest, leader } = result;
  const moved =
    movedSecrets + movedConfigMaps === 0
      ? 'nothing moved'
      : `${count(movedSecrets, 'Secret')} and ${count(movedConfigMaps, 'ConfigMap')} moved`;
  const without = longest === undefined ? '0.0 s' : `${seconds(longest.ms)} (${longest.object})`;
  return (
    `${name.padEnd(nameWidth)}  ${done}; at rest after ${seconds(tookMs)}, ${moved}, ` +
    `longest without a live shard ${without}; ${leader || 'nobody'} leads`
  );
}

/** `1 Secret`, `2 Secrets`. */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** `checksum-2 150, checksum-3 150`: the live shards' Secrets. */
export const loadsLine = ({ shards }: Summary): string =>
  shards
    .filter(({ state }) => state === 'live')
    .map(({ name, secrets }) => `${name} ${secrets}`)
    .join(', ');

export function endLine(summary: Summary, { checked }: Checker): string {
  return (
    `all ${summary.secrets} Secrets and ${summary.configMaps} ConfigMaps are on live shards, each pair together: ` +
    `${loadsLine(summary)}\n` +
    `no rule was broken: checked ${checked.reconciles} reconciles, ${checked.writes} writes, ` +
    `${checked.handOvers} hand-overs, ${checked.objects} versions of objects`
  );
}

export const violationLine = ({ rule, at, object, message }: Violation): string =>
  `BROKEN ${rule}: ${object ?? 'the ring'}: ${message} (at ${at.toFixed(1)} ms)`;
