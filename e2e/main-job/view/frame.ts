import { leaderName, type MachineMs } from '../observer/events.ts';
import type { Violation } from '../observer/rules/rule.ts';
import type { ShardSummary, Summary } from '../observer/world.ts';
import { helpLines } from './keys.ts';
import { shardHeading, shardLine } from './shard-line.ts';
import { type Canvas, draw, type Line } from './styled.ts';

export interface Note {
  /** Time of day. */
  at: Date;
  text: string;
}

/** All that the view shows. */
export interface ViewState {
  url: string;
  kubeconfig: string;
  summary: Summary;
  now: MachineMs;
  /** What the observer has checked. */
  reconciles: number;
  writes: number;
  violations: readonly Violation[];
  violationCount: number;
  /** The newest last. */
  notes: readonly Note[];
  /** Processes that were started again, and how often. */
  restarts: readonly string[];
}

/** How long a shard that is gone and holds nothing stays in sight. */
const showGoneMs = 5_000;
const mostNotes = 5;
const mostViolations = 2;

/** The picture as text: no line is wider, and not more of them, than the canvas has room for. */
export function frame(state: ViewState, canvas: Canvas): string {
  const { summary, now } = state;
  const shards = summary.shards.filter((shard) => inSight(shard, now));
  const head: Line[] = [
    [
      { text: ' Controller sharding', style: 'bold' },
      { text: `  ${state.url}  ${summary.secrets} Secrets, ${summary.configMaps} ConfigMaps` },
    ],
    [{ text: ` export KUBECONFIG=${state.kubeconfig}`, style: 'dim' }],
    [],
    shardHeading(canvas),
  ];
  const foot: Line[] = [[], numbers(summary), verdict(state)];
  for (const { rule, object = 'the ring', message } of state.violations.slice(0, mostViolations)) {
    foot.push([{ text: `   ${rule}: ${object}: ${message}`, style: 'red' }]);
  }
  const help = helpLines.map((text): Line => [{ text: ` ${text}`, style: 'dim' }]);
  // The last row is the cursor's.
  const room = Math.max(0, canvas.rows - 1 - head.length - foot.length - help.length);
  const most = Math.max(...shards.map(({ secrets }) => secrets), 1);
  const bars = shards.map((shard) => shardLine(shard, most, canvas, now));
  const shown = bars.length > room ? bars.slice(0, Math.max(0, room - 1)) : bars;
  if (shown.length < bars.length && room > 0) {
    shown.push([{ text: ` … and ${bars.length - shown.length} more`, style: 'dim' }]);
  }
  const notes = noteLines(state, room - shown.length);
  return [...head, ...shown, ...foot, ...notes, ...help].map((line) => draw(line, canvas)).join('\n');
}

const inSight = ({ state, since, secrets, configMaps, arriving }: ShardSummary, now: MachineMs): boolean =>
  state !== 'gone' || secrets + configMaps + arriving > 0 || now - since < showGoneMs;

function numbers({ unassigned, moving, split, leader }: Summary): Line {
  return [
    { text: ' leader ' },
    { text: leaderName(leader) || 'nobody', style: leader === '' ? 'yellow' : 'green' },
    ...number('moving', moving),
    ...number('unassigned', unassigned),
    ...number('pairs apart', split),
  ];
}

const number = (name: string, count: number): Line => [
  { text: `   ${name} ` },
  { text: String(count), style: count > 0 ? 'yellow' : 'green' },
];

function verdict({ violationCount, reconciles, writes, restarts }: ViewState): Line {
  const checked = `: ${reconciles} reconciles and ${writes} writes checked`;
  const restarted = restarts.length > 0 ? `   restarted: ${restarts.join(', ')}` : '';
  return violationCount === 0
    ? [{ text: ' no rule broken', style: 'green' }, { text: checked + restarted }]
    : [{ text: ` RULES BROKEN ${violationCount} TIMES`, style: 'red' }, { text: checked + restarted }];
}

/** The newest notes, with a blank line before and after them. */
function noteLines({ notes }: ViewState, space: number): Line[] {
  if (space <= 0) return [];
  const lines = notes.slice(-mostNotes).map(({ at, text }): Line => {
    const time = at.toTimeString().slice(0, 8);
    return [{ text: ` ${time} `, style: 'dim' }, { text }];
  });
  if (lines.length === 0 || space < 3) return [[]];
  return [[], ...lines.slice(-(space - 2)), []];
}
