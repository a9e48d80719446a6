import type { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import type { Fault } from '../fault-proxy/fault.ts';
import type { RequestKind } from '../fault-proxy/proxied-request.ts';
import { forever, refusal, success } from './fault-case.ts';
import type { ConfigMap } from './history.ts';

/** What a caller learns of its request. `known`: it certainly was not executed. */
export type Outcome = 'done' | 'unknown' | 'refused' | 'not sent';

/** How one request that meets a fault ends, and how often it is sent. */
export interface RequestCase {
  name: string;
  fault: Fault | 'connections refused';
  times?: number;
  outcome: Outcome;
  /** What the error says. */
  message?: RegExp;
  /** How often the client sends it, at most, and how often the API server executes it, exactly. */
  sent: number;
  executed: 0 | 1;
  /** Methods that this concerns; default: all. */
  only?: RequestKind[];
}

const reset = /connection reset/;
const timeout = /no answer .* within 10000 ms/;

/** A write is sent again only if the API server said that it didn't execute it, and when to try again. */
export const requestCases: RequestCase[] = [
  ...(['reset', 'end', 'stall'] as const).flatMap((kind): RequestCase[] => {
    const message = { reset, end: /connection closed/, stall: timeout }[kind];
    return [
      {
        name: `${kind}, never seen`,
        fault: { kind, at: 'request' },
        outcome: 'unknown',
        message,
        sent: 1,
        executed: 0,
      },
      {
        name: `${kind}, executed, before the answer`,
        fault: { kind, at: 'answer' },
        outcome: 'unknown',
        message,
        sent: 1,
        executed: 1,
      },
    ];
  }),
  ...(['reset', 'stall'] as const).flatMap((kind): RequestCase[] => [
    {
      name: `${kind} behind the answer's head`,
      fault: { kind, at: 'head' },
      outcome: 'unknown',
      sent: 1,
      executed: 1,
    },
    {
      name: `${kind} within the answer`,
      fault: { kind, at: { bytes: 20 } },
      outcome: 'unknown',
      sent: 1,
      executed: 1,
    },
  ]),
  {
    name: 'half an answer',
    fault: { kind: 'end', at: { bytes: 20 } },
    outcome: 'unknown',
    message: /not JSON/,
    sent: 1,
    executed: 1,
    only: ['create', 'update', 'patch'], // nobody reads what a deletion answers
  },
  {
    name: 'an answer of garbage',
    fault: success('<html>'),
    outcome: 'unknown',
    message: /not JSON/,
    sent: 1,
    executed: 0,
    only: ['create', 'update', 'patch'],
  },
  { name: '500', fault: refusal(500, 'InternalError'), outcome: 'unknown', sent: 1, executed: 0 },
  {
    name: '500 with Retry-After',
    fault: refusal(500, 'InternalError', { 'retry-after': '1' }),
    outcome: 'unknown',
    sent: 1,
    executed: 0,
  },
  {
    name: '502 in HTML',
    fault: { kind: 'answer', status: 502, body: '<html>' },
    outcome: 'unknown',
    sent: 1,
    executed: 0,
  },
  { name: '503', fault: refusal(503, 'ServiceUnavailable'), outcome: 'unknown', sent: 1, executed: 0 },
  { name: '504', fault: refusal(504, 'Timeout'), outcome: 'unknown', sent: 1, executed: 0 },
  {
    name: '504 with Retry-After',
    fault: refusal(504, 'Timeout', { 'retry-after': '1' }),
    outcome: 'unknown',
    sent: 1,
    executed: 0,
  },
  { name: '429', fault: refusal(429, 'TooManyRequests'), outcome: 'refused', sent: 1, executed: 0 },
  { name: '401', fault: refusal(401, 'Unauthorized'), outcome: 'refused', sent: 1, executed: 0 },
  { name: '403', fault: refusal(403, 'Forbidden'), outcome: 'refused', sent: 1, executed: 0 },
  {
    name: '429 with Retry-After',
    fault: refusal(429, 'TooManyRequests', { 'retry-after': '1' }),
    outcome: 'done',
    sent: 2,
    executed: 1,
  },
  {
    name: '429 with Retry-After, three times',
    times: 3,
    fault: refusal(429, 'TooManyRequests', { 'retry-after': '1' }),
    outcome: 'done',
    sent: 4,
    executed: 1,
  },
  {
    name: '429 with Retry-After for ever',
    times: forever,
    fault: refusal(429, 'TooManyRequests', { 'retry-after': '6' }),
    outcome: 'refused',
    sent: 2,
    executed: 0,
  },
  {
    name: '429 with a Retry-After behind the deadline',
    fault: refusal(429, 'TooManyRequests', { 'retry-after': '60' }),
    outcome: 'refused',
    sent: 1,
    executed: 0,
  },
  {
    name: 'connections refused',
    fault: 'connections refused',
    outcome: 'not sent',
    message: /connection refused/,
    sent: 0,
    executed: 0,
  },
];

/** The writes that meet the faults, on a namespace with ConfigMaps a, b and c. */
export const writes: Partial<
  Record<RequestKind, (client: KubeClient, namespace: string) => Promise<unknown>>
> = {
  create: (client, namespace) => client.create(configMaps, { metadata: { namespace, name: 'new' } }),
  update: (client, namespace) =>
    client.update<ConfigMap>(configMaps, { metadata: { namespace, name: 'a' }, data: { written: 'yes' } }),
  patch: (client, namespace) =>
    client.patch(configMaps, { namespace, name: 'b' }, { type: 'merge', body: { data: { written: 'yes' } } }),
  delete: (client, namespace) => client.delete(configMaps, { namespace, name: 'c' }),
};
