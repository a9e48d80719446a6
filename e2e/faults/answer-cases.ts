import type { Fault } from '../fault-proxy/fault.ts';
import type { ProxiedRequest, RequestKind } from '../fault-proxy/proxied-request.ts';
import { waitFor } from '../harness/wait-for.ts';
import { errorEvent, type FaultCase, forever, on, refusal, success } from './fault-case.ts';
import { initialObjects } from './history.ts';

/** What the API server, or something before it, answers in the place of what was asked for. */
const expired = refusal(410, 'Expired');
const html = '<!doctype html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n';

const oneAnswer: [name: string, answer: Fault][] = [
  ['429', refusal(429, 'TooManyRequests')],
  ['429 with Retry-After', refusal(429, 'TooManyRequests', { 'retry-after': '2' })],
  [
    '429 with a Retry-After that is a date',
    refusal(429, 'TooManyRequests', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
  ],
  ['500', refusal(500, 'InternalError')],
  ['502 in HTML', { kind: 'answer', status: 502, headers: { 'content-type': 'text/html' }, body: html }],
  ['503', refusal(503, 'ServiceUnavailable', { 'retry-after': '1' })],
  ['504', refusal(504, 'Timeout')],
  ['HTML', { kind: 'answer', status: 200, headers: { 'content-type': 'text/html' }, body: html }],
  ['nothing at all', success('')],
  ['half an object', success('{"kind":"ConfigMapList","items":[{"metadata":{"name":')],
  ['null', success('null\n')],
  ['an empty object', success('{}\n')],
  ['a number', success('17\n')],
];

/** An initial watch that is answered nothing may be listed instead. */
const singleCases = oneAnswer.flatMap(([name, fault]): FaultCase[] => [
  {
    name: `an initial watch is answered ${name}`,
    rules: [{ when: on('watch-list'), fault }],
    most: { 'watch-list': 2, list: 1, watch: 1 },
  },
  {
    name: `a list is answered ${name}`,
    paged: true,
    rules: [{ when: on('list'), fault }],
    most: { 'watch-list': 1, list: 2, watch: 1 },
  },
  {
    name: `a watch is answered ${name}`,
    rules: [
      { when: on('watch-list'), fault: { kind: 'end', at: { lines: initialObjects + 1 } } },
      { when: on('watch'), fault },
    ],
    most: { 'watch-list': 1, watch: 2 },
  },
]);

/** So many requests fit into `forMs` of fault, when each waits twice as long as the one before, up to 10 s. */
const lasting = { forMs: 1_500, most: { 'watch-list': 10, list: 1, watch: 10 } };

const lastingFaults: [name: string, kinds: RequestKind[], fault: Fault][] = [
  ['401', ['watch-list', 'watch', 'list'], refusal(401, 'Unauthorized')],
  ['403', ['watch-list', 'watch', 'list'], refusal(403, 'Forbidden')],
  ['429', ['watch-list', 'watch', 'list'], refusal(429, 'TooManyRequests')],
  ['500', ['watch-list', 'watch', 'list'], refusal(500, 'InternalError')],
  ['503', ['watch-list', 'watch', 'list'], refusal(503, 'ServiceUnavailable')],
  ['410', ['watch-list', 'watch', 'list'], expired],
  ['garbage', ['watch-list', 'watch'], success('%$§\n')],
  [
    'an expiry within the stream',
    ['watch-list'],
    { kind: 'insert', at: { lines: initialObjects + 1 }, text: errorEvent(410, 'Expired') },
  ],
  ['resets', ['watch-list', 'watch', 'list'], { kind: 'reset', at: 'request' }],
];

const lastingCases = lastingFaults.map(
  ([name, kinds, fault]): FaultCase => ({
    name: `${name} for a while`,
    rules: [{ when: on(...kinds), times: forever, fault }],
    ...lasting,
    // Where watches are forbidden, lists take their place.
    ...(name === '403' && { most: { 'watch-list': 1, list: 12, watch: 2 } }),
  }),
);

const followed = {
  when: on('watch-list'),
  fault: { kind: 'end', at: { lines: initialObjects + 1 } },
} as const;

const endlessCases: FaultCase[] = [
  {
    name: 'watches that end at once, again and again',
    rules: [followed, { when: on('watch'), times: forever, fault: { kind: 'end', at: 'head' } }],
    ...lasting,
    most: { 'watch-list': 1, watch: 12 },
  },
  {
    name: 'watches that all have expired, by an answer',
    rules: [followed, { when: on('watch'), times: forever, fault: expired }],
    ...lasting,
    most: { 'watch-list': 10, watch: 10 },
  },
  {
    name: 'watches that all have expired, by an event',
    rules: [followed, { when: on('watch'), times: forever, fault: success(errorEvent(410, 'Expired')) }],
    ...lasting,
    most: { 'watch-list': 10, watch: 10 },
  },
  {
    name: 'lists whose pages all expire',
    paged: true,
    rules: [{ when: on('page'), times: forever, fault: expired }],
    forMs: 1_500,
    most: { 'watch-list': 1, list: 10, watch: 1 },
  },
];

const expiryCases: FaultCase[] = [
  {
    name: 'a watch has expired, by an answer',
    rules: [followed, { when: on('watch'), fault: expired }],
    most: { 'watch-list': 2, watch: 1 },
  },
  {
    name: 'a watch has expired, by an event',
    rules: [followed, { when: on('watch'), fault: success(errorEvent(410, 'Expired')) }],
    most: { 'watch-list': 2, watch: 1 },
  },
  {
    name: 'a running watch expires between changes',
    rules: [
      {
        when: on('watch-list'),
        fault: { kind: 'insert', at: { lines: initialObjects + 3 }, text: errorEvent(410, 'Expired') },
      },
    ],
    most: { 'watch-list': 2 },
  },
  {
    name: 'a watch expires twice in a row',
    rules: [
      {
        when: on('watch-list'),
        times: 2,
        fault: { kind: 'insert', at: { lines: initialObjects + 1 }, text: errorEvent(410, 'Expired') },
      },
    ],
    most: { 'watch-list': 3 },
  },
  {
    name: 'a watch behind a paged list has expired',
    paged: true,
    rules: [{ when: on('watch'), fault: expired }],
    most: { 'watch-list': 1, list: 2, watch: 2 },
  },
  {
    name: 'the second page has expired',
    paged: true,
    rules: [{ when: on('page'), fault: expired }],
    most: { 'watch-list': 1, list: 2, watch: 1 },
  },
  {
    name: 'the second page has expired, and that of the next list, too',
    paged: true,
    rules: [{ when: on('page'), times: 2, fault: expired }],
    most: { 'watch-list': 1, list: 3, watch: 1 },
  },
  {
    name: 'an initial watch has expired before it begins',
    rules: [{ when: on('watch-list'), fault: expired }],
    most: { 'watch-list': 2 },
  },
];

/** The version at which a watch was to go on is kept no more: whoever asks for it is told so, each time. */
function goneVersion(): (request: ProxiedRequest) => boolean {
  let gone: string | null = null;
  return ({ kind, query }) => {
    if (kind !== 'watch') return false;
    gone ??= query.get('resourceVersion');
    return query.get('resourceVersion') === gone;
  };
}

/** Changes of every kind are missed meanwhile. */
const away = { when: on('watch'), times: 4, fault: refusal(503, 'ServiceUnavailable') };

const goneCases: FaultCase[] = [false, true].flatMap((paged) =>
  [['answer', expired] as const, ['event', success(errorEvent(410, 'Expired'))] as const].map(
    ([how, fault]): FaultCase => ({
      name: `a watch is away and then, by an ${how}, gone for good${paged ? ', behind a paged list' : ''}`,
      paged,
      rules: [...(paged ? [] : [followed]), away, { when: goneVersion(), times: forever, fault }],
      most: paged ? { 'watch-list': 1, list: 2, watch: 6 } : { 'watch-list': 2, watch: 5 },
    }),
  ),
);

const refusedCases: FaultCase[] = [[400, 'BadRequest'] as const, [422, 'Invalid'] as const].map(
  ([code, reason]) => ({
    name: `watches with initial events are refused by ${code}, once and for all`,
    rules: [
      { when: on('watch-list'), times: 1, fault: refusal(code, reason) },
      { when: on('watch'), fault: expired },
    ],
    most: { 'watch-list': 1, list: 2, watch: 2 },
  }),
);

const tokenCases: FaultCase[] = [
  {
    name: 'a token is taken no more, and a new one is in its file',
    rules: [
      { when: on('watch-list'), fault: { kind: 'reset', at: { lines: initialObjects + 1 } } },
      { when: ({ token }) => token !== 'second', times: forever, fault: refusal(401, 'Unauthorized') },
    ],
    act: async ({ setToken, proxy }) => {
      const before = proxy.received('watch');
      await waitFor('refusals', () => proxy.received('watch') >= before + 2, { everyMs: 10 });
      await setToken('second');
    },
    forMs: 500,
    most: { 'watch-list': 1, watch: 10 },
  },
];

export const answerCases: FaultCase[] = [
  ...singleCases,
  ...lastingCases,
  ...endlessCases,
  ...expiryCases,
  ...goneCases,
  ...refusedCases,
  ...tokenCases,
];
