import type { Bound, Figures } from './benchmark.ts';
import type { Observed } from './moves-observer.ts';

/** `writes`: of a moved owner with one child, by the design. */
export const kinds = {
  join: { name: 'join, 3 to 4', writes: 3, leastOfRaw: 0.5 },
  stop: { name: 'graceful stop', writes: 2, leastOfRaw: 0.8 },
  kill: { name: 'SIGKILL', writes: 2, leastOfRaw: 0.8 },
} as const;
export type Kind = keyof typeof kinds;

export interface Move extends Observed {
  kind: Kind;
  /** As the API server has counted them, from before the move to the end of the check period. */
  requests: number;
  /** Between the end of the move and the end of a full check period. */
  lateWrites: number;
  /** All that the sharder used, from before the move to its end. */
  sharderCpuMs: number;
  /** The same changes by a client that only patches, right afterwards. */
  raw: Observed | undefined;
}

export const bounds = Object.values(kinds).flatMap(({ name, leastOfRaw }): Bound[] => [
  { figure: `${name}: writes / design`, atMost: 1.01 },
  { figure: `${name}: ours / raw`, atLeast: leastOfRaw },
  { figure: `${name}: moves of one object`, atMost: 1 },
  { figure: `${name}: owner and child apart`, atMost: 1_000 },
  { figure: `${name}: late writes`, atMost: 0 },
]);

/** For people, while it runs. */
export function told(move: Move): string {
  const { moved, writes, requests, raw, longestSplitMs } = move;
  const rate = `${perSecond(move).toFixed(0)} per s`;
  const beside = raw ? `, raw ${perSecond(raw).toFixed(0)} per s` : '';
  const apart = `apart ${longestSplitMs.toFixed(0)} ms`;
  return `${kinds[move.kind].name}: ${moved.size} owners, ${writes} writes by ${requests} requests, ${rate}${beside}, ${apart}`;
}

/** Rates are those of the pairs, everything else is of all moves. */
export function figuresOf(moves: readonly Move[]): Figures {
  const figures: Record<string, Figures[string]> = {};
  for (const [kind, { name, writes }] of Object.entries(kinds)) {
    const own = moves.filter((move) => move.kind === kind);
    const pairs = own.flatMap((move) =>
      move.raw ? [{ ours: perSecond(move), raw: perSecond(move.raw) }] : [],
    );
    const sum = (of: (move: Move) => number): number => own.reduce((total, move) => total + of(move), 0);
    const most = (of: (move: Move) => number): number => Math.max(...own.map(of));
    const owners = sum(({ moved }) => moved.size);
    const cpuMs = sum(({ sharderCpuMs }) => sharderCpuMs) / sum((move) => move.writes);
    const note = (figure: string, value: number, unit: string): void => {
      figures[`${name}: ${figure}`] = { value, unit };
    };
    note('owners moved', owners / own.length, '');
    note('writes / design', sum(({ requests }) => requests) / (owners * writes), '×');
    note('time', median(own.map(({ firstAt, lastAt }) => lastAt - firstAt)), 'ms');
    note('ours', median(pairs.map(({ ours }) => ours)), 'per s');
    note('raw', median(pairs.map(({ raw }) => raw)), 'per s');
    note('ours / raw', median(pairs.map(({ ours, raw }) => ours / raw)), '×');
    note("sharder's CPU per write", cpuMs, 'ms');
    note(
      'moves of one object',
      most(({ mostMoves }) => mostMoves),
      '',
    );
    note(
      'owner and child apart',
      most(({ longestSplitMs }) => longestSplitMs),
      'ms',
    );
    note(
      'late writes',
      sum(({ lateWrites }) => lateWrites),
      '',
    );
  }
  return figures;
}

const perSecond = ({ writes, firstAt, lastAt }: Observed): number => (writes * 1_000) / (lastAt - firstAt);

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
