import type { MachineMs } from '../observer/events.ts';
import type { ShardSummary } from '../observer/world.ts';
import { type Canvas, fit, type Line, type Style } from './styled.ts';

const nameWidth = 14;
const stateWidth = 10;
const countsWidth = 24;
const leastBar = 8;

/** One shard: its name, its state, a bar of its Secrets (those that are leaving lighter), and numbers. */
export function shardLine(
  shard: ShardSummary,
  most: number,
  { columns }: Pick<Canvas, 'columns'>,
  now: MachineMs,
): Line {
  const { name, secrets, configMaps, leaving, arriving } = shard;
  const state = stateOf(shard, now);
  const moving = `${leaving > 0 ? ` -${leaving}` : ''}${arriving > 0 ? ` +${arriving}` : ''}`;
  const counts = `${String(secrets).padStart(5)} ${String(configMaps).padStart(5)} ${moving}`.trimEnd();
  const width = Math.max(leastBar, columns - nameWidth - stateWidth - countsWidth - 4);
  const cells = (count: number): number => (most === 0 ? 0 : Math.round((count / most) * width));
  const all = secrets > 0 ? Math.max(1, cells(secrets)) : 0;
  const light = Math.min(all, cells(leaving));
  return [
    { text: ` ${fit(name, nameWidth)}`, style: 'bold' },
    { text: ` ${fit(state.text, stateWidth)} `, style: state.style },
    { text: '█'.repeat(all - light), style: shard.state === 'live' ? 'cyan' : 'red' },
    { text: '▒'.repeat(light), style: 'yellow' },
    { text: ' '.repeat(width - all) },
    { text: ` ${counts}` },
  ];
}

export const shardHeading = ({ columns }: Pick<Canvas, 'columns'>): Line => {
  const width = Math.max(leastBar, columns - nameWidth - stateWidth - countsWidth - 4);
  const text = ` ${fit('shard', nameWidth)} ${fit('state', stateWidth)} ${' '.repeat(width)}   Secr  CfgM  moves`;
  return [{ text, style: 'dim' }];
};

function stateOf({ state, label, since }: ShardSummary, now: MachineMs): { text: string; style: Style } {
  if (state === 'starting') return { text: 'starting', style: 'yellow' };
  if (state === 'gone') {
    return { text: since === 0 ? 'unknown' : `gone ${Math.round((now - since) / 1000)} s`, style: 'red' };
  }
  const text = label || 'new';
  return { text, style: text === 'ready' ? 'green' : 'yellow' };
}
