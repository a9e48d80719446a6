import type { Fault, FaultRule, Place } from '../fault-proxy/fault.ts';
import type { RequestKind } from '../fault-proxy/proxied-request.ts';
import { type FaultCase, on } from './fault-case.ts';
import { initialObjects } from './history.ts';

/**
 * A connection that breaks in one of three ways, in every phase of an initial watch, of a watch and of a paged list.
 * The speed lets a minute and a half of silence pass in one and a half seconds.
 */
const ways: [name: string, kind: 'reset' | 'stall' | 'end', speed: number][] = [
  ['is reset', 'reset', 10],
  ['stalls', 'stall', 60],
  ['ends', 'end', 10],
];

type Phase = [name: string, at: Place];

const untilHead: Phase[] = [
  ['before the API server has seen it', 'request'],
  ['before its answer begins', 'answer'],
  ['behind the head of its answer', 'head'],
];

const listingPhases: Phase[] = [
  ...untilHead,
  ['within its first object', { bytes: 40 }],
  ['between its objects', { lines: 2 }],
  ['within its last bookmark', { lines: initialObjects, bytes: 30 }],
];

const followingPhases: Phase[] = [
  ['right behind its list', { lines: initialObjects + 1 }],
  ['within a change', { lines: initialObjects + 1, bytes: 50 }],
  ['between changes', { lines: initialObjects + 3 }],
];

const watchPhases: Phase[] = [
  ...untilHead,
  ['within a change', { bytes: 50 }],
  ['between changes', { lines: 1 }],
  ['within a later change', { lines: 2, bytes: 50 }],
];

const pagePhases: Phase[] = [...untilHead, ['within its objects', { bytes: 300 }]];

/** Ends the initial watch in good order behind its list, so that a watch follows. */
const listOnly: FaultRule = {
  when: on('watch-list'),
  fault: { kind: 'end', at: { lines: initialObjects + 1 } },
};

function casesOf(
  what: string,
  kind: RequestKind,
  phases: Phase[],
  rest: Pick<FaultCase, 'most' | 'paged'> & { before?: FaultRule[] },
): FaultCase[] {
  const { before = [], ...more } = rest;
  return ways.flatMap(([how, way, speed]) =>
    phases.map(([where, at]) => {
      const fault: Fault = { kind: way, at };
      return {
        name: `${what} ${how} ${where}`,
        speed,
        rules: [...before, { when: on(kind), fault }],
        ...more,
      };
    }),
  );
}

export const breakCases: FaultCase[] = [
  // An end in good order before the list is complete looks like a server that doesn't know such watches: it is listed.
  ...casesOf('an initial watch', 'watch-list', listingPhases, {
    most: { 'watch-list': 2, list: 1, watch: 2 },
  }),
  ...casesOf('an initial watch', 'watch-list', followingPhases, { most: { 'watch-list': 1, watch: 2 } }),
  ...casesOf('a watch', 'watch', watchPhases, { before: [listOnly], most: { 'watch-list': 1, watch: 3 } }),
  ...casesOf('a list', 'list', pagePhases, { paged: true, most: { 'watch-list': 1, list: 2, watch: 2 } }),
  ...casesOf('the second page', 'page', pagePhases, {
    paged: true,
    most: { 'watch-list': 1, list: 2, watch: 2 },
  }),
  ...casesOf('a watch behind a paged list', 'watch', watchPhases.slice(2, 5), {
    paged: true,
    most: { 'watch-list': 1, list: 1, watch: 3 },
  }),
];
