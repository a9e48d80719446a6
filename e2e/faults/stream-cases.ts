import type { Fault } from '../fault-proxy/fault.ts';
import { errorEvent, type FaultCase, on } from './fault-case.ts';
import { initialObjects } from './history.ts';

const behindList = { lines: initialObjects + 1 };
const betweenChanges = { lines: initialObjects + 3 };
const bookmark = (resourceVersion: string): string =>
  `{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"${resourceVersion}"}}}\n`;

/** Lines that are no events: the watch is ended by the client and resumed, nothing is lost. */
const oddLines: [name: string, text: string][] = [
  ['garbage', '\u0000\ufffd<>&%\n'],
  ['an empty line', '\n'],
  ['an event of an unknown type', '{"type":"RENAMED","object":{"metadata":{"name":"a"}}}\n'],
  ['an event without object', '{"type":"MODIFIED"}\n'],
  ['an event whose object is null', '{"type":"ADDED","object":null}\n'],
  ['an object without metadata', '{"type":"ADDED","object":{"kind":"ConfigMap"}}\n'],
  ['a bookmark without version', '{"type":"BOOKMARK","object":{"metadata":{}}}\n'],
  ['null', 'null\n'],
  ['an array', '[]\n'],
  ['an internal error', errorEvent(500, 'InternalError')],
  ['an error without object', '{"type":"ERROR"}\n'],
  ['half a line that goes on as another', '{"type":"MODIFIED","object":{"meta'],
];

const oddCases = oddLines.flatMap(([name, text]): FaultCase[] => [
  {
    name: `a list in an initial watch has ${name} in it`,
    rules: [{ when: on('watch-list'), fault: { kind: 'insert', at: { lines: 1 }, text } }],
    most: { 'watch-list': 2 },
  },
  {
    name: `a watch has ${name} in it`,
    rules: [{ when: on('watch-list'), fault: { kind: 'insert', at: betweenChanges, text } }],
    most: { 'watch-list': 1, watch: 2 },
  },
]);

const pieces: FaultCase[] = [1, 2, 3, 7, 64, 1000].flatMap((pieceBytes): FaultCase[] => {
  const fault: Fault = { kind: 'split', pieceBytes };
  return [
    {
      name: `a watch comes in pieces of ${pieceBytes} bytes`,
      rules: [{ when: on('watch-list'), fault }],
      most: { 'watch-list': 1 },
    },
    {
      name: `lists come in pieces of ${pieceBytes} bytes`,
      paged: true,
      speed: 1, // a piece for each turn of the event loop takes its time
      rules: [{ when: on('list', 'page'), times: 2, fault }],
      most: { 'watch-list': 1, list: 1, watch: 1 },
    },
  ];
});

const slow: FaultCase[] = [
  {
    name: 'a watch comes slowly',
    rules: [{ when: on('watch-list'), fault: { kind: 'slow', bytesPerSecond: 4_000 } }],
    speed: 1,
    most: { 'watch-list': 1 },
  },
  {
    name: 'a list comes slowly',
    paged: true,
    rules: [{ when: on('list', 'page'), times: 2, fault: { kind: 'slow', bytesPerSecond: 2_000 } }],
    most: { 'watch-list': 1, list: 1, watch: 1 },
  },
];

const bookmarks: FaultCase[] = [
  {
    name: 'an initial watch has nothing but bookmarks',
    rules: [
      {
        when: on('watch-list'),
        fault: { kind: 'answer', status: 200, body: bookmark('1').repeat(3) },
      },
    ],
    most: { 'watch-list': 1, list: 1, watch: 1 },
  },
  {
    name: 'an initial watch has bookmarks between its objects',
    rules: [{ when: on('watch-list'), fault: { kind: 'insert', at: { lines: 1 }, text: bookmark('1') } }],
    most: { 'watch-list': 1 },
  },
  {
    name: 'a watch is resumed at a bookmark of long ago',
    rules: [
      { when: on('watch-list'), fault: { kind: 'end', at: behindList } },
      { when: on('watch'), fault: { kind: 'answer', status: 200, body: bookmark('1') } },
    ],
    most: { 'watch-list': 2, watch: 2 },
  },
];

export const streamCases: FaultCase[] = [...oddCases, ...pieces, ...slow, ...bookmarks];
