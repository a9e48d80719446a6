import type { MachineMs } from '../observer/events.ts';
import type { ShardSummary } from '../observer/world.ts';
import { type Canvas, fit, type Line, type Style } from './styled.ts';

const nameWidth = 12;
const stateWidth = 10;
const weightWidth = 6;
const countsWidth = 29;
const leastBar = 8;

/** One shard: its name, state and weight, a bar of its Secrets (those that are leaving lighter), and numbers. */
export function shardLine(
  shard: ShardSummary,
  most: number,
  { columns }: Pick<Canvas, 'columns'>,
  now: MachineMs,
): Line {
  const { name, wishes, secrets, configMaps, leaving, arriving, pinned } = shard;
  const state = stateOf(shard, now);
  const moving = `${leaving > 0 ? ` -${leaving}` : ''}${arriving > 0 ? ` +${arriving}` : ''}`;
  const numbers = [secrets, configMaps, pinned].map((count) => String(count).padStart(5));
  const counts = `${numbers.join(' ')} ${moving}`.trimEnd();
  const width = barWidth(columns);
  const cells = (count: number): number => (most === 0 ? 0 : Math.round((count / most) * width));
  const all = secrets > 0 ? Math.max(1, cells(secrets)) : 0;
  const light = Math.min(all, cells(leaving));
  return [
    { text: ` ${fit(name, nameWidth)}`, style: 'bold' },
    { text: ` ${fit(state.text, stateWidth)} `, style: state.style },
    {
      text: `${fit(`×${wishes.weight}`, weightWidth)} `,
      ...(wishes.weight === 1 ? {} : { style: 'yellow' }),
    },
    { text: '█'.repeat(all - light), style: shard.state === 'live' ? 'cyan' : 'red' },
    { text: '▒'.repeat(light), style: 'yellow' },
    { text: ' '.repeat(width - all) },
    { text: ` ${counts}` },
  ];
}

export const shardHeading = ({ columns }: Pick<Canvas, 'columns'>): Line => {
  const names = ` ${fit('shard', nameWidth)} ${fit('state', stateWidth)} ${fit('weight', weightWidth)}`;
  return [{ text: `${names} ${' '.repeat(barWidth(columns))}  Secr  CfgM  pins  moves`, style: 'dim' }];
};

const barWidth = (columns: number): number =>
  Math.max(leastBar, columns - nameWidth - stateWidth - weightWidth - countsWidth - 5);

function stateOf(
  { state, label, since, wishes }: ShardSummary,
  now: MachineMs,
): { text: string; style: Style } {
  if (state === 'starting') return { text: 'starting', style: 'yellow' };
  if (state === 'gone') {
    return { text: since === 0 ? 'unknown' : `gone ${Math.round((now - since) / 1000)} s`, style: 'red' };
  }
  if (label !== 'ready') return { text: label || 'new', style: 'yellow' };
  if (wishes.draining) return { text: 'draining', style: 'yellow' };
  return wishes.cordoned ? { text: 'cordoned', style: 'yellow' } : { text: 'ready', style: 'green' };
}
