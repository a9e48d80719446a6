import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { type FaultCase, on } from './fault-case.ts';

const dayMs = 86_400_000;
const pauseMs = 300;

/** What happens to all connections at once, and to clocks. */
export const connectionCases: FaultCase[] = [
  {
    name: 'all connections are cut',
    act: async ({ proxy }) => proxy.cut(),
    most: { 'watch-list': 1, watch: 2 },
  },
  {
    name: 'all connections are cut, again and again',
    act: async ({ proxy }) => {
      for (let round = 0; round < 10; round += 1) {
        proxy.cut();
        await systemClock.sleep(pauseMs / 2);
      }
    },
    most: { 'watch-list': 1, watch: 12 },
  },
  {
    name: 'connections are refused for a while',
    act: async ({ proxy }) => {
      await proxy.refuse();
      await systemClock.sleep(3 * pauseMs);
      await proxy.accept();
    },
    most: { 'watch-list': 1, watch: 2 },
  },
  {
    name: 'connections are refused for a while, to a paged list’s watch',
    paged: true,
    act: async ({ proxy }) => {
      await proxy.refuse();
      await systemClock.sleep(3 * pauseMs);
      await proxy.accept();
    },
    most: { 'watch-list': 1, list: 1, watch: 3 },
  },
  {
    name: 'a connection that is half-open, and its successor, too',
    speed: 60,
    rules: [
      { when: on('watch-list'), fault: { kind: 'stall', at: { lines: 5 } } },
      { when: on('watch'), fault: { kind: 'stall', at: 'head' } },
    ],
    most: { 'watch-list': 1, watch: 4 },
  },
  ...[dayMs, -365 * dayMs].map(
    (byMs): FaultCase => ({
      name: `the time of day is set ${byMs > 0 ? 'forward by a day' : 'back by a year'}`,
      act: async ({ clock }) => {
        clock.setWallClock(byMs);
        await systemClock.sleep(pauseMs);
      },
      most: { 'watch-list': 1 },
    }),
  ),
  {
    name: 'the time of day jumps to and fro while connections are cut',
    act: async ({ clock, proxy }) => {
      for (const byMs of [dayMs, -3 * dayMs, dayMs]) {
        clock.setWallClock(byMs);
        proxy.cut();
        await systemClock.sleep(pauseMs);
      }
    },
    most: { 'watch-list': 1, watch: 4 },
  },
  {
    name: 'ten minutes pass at once',
    speed: 60,
    act: async ({ clock }) => {
      clock.leap(10 * 60_000);
      await systemClock.sleep(pauseMs);
    },
    most: { 'watch-list': 1, watch: 3 },
  },
  {
    name: 'ten minutes pass at once while a connection is half-open',
    speed: 60,
    rules: [{ when: on('watch-list'), fault: { kind: 'stall', at: { lines: 5 } } }],
    act: async ({ clock }) => clock.leap(10 * 60_000),
    most: { 'watch-list': 1, watch: 3 },
  },
];
