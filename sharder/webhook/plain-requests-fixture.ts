import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { issueAuthority, issueServing } from '@controller-sharding/shared/server/issue-certificate.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import type { Decide } from './decide.ts';
import { startWebhookServer } from './webhook-server.ts';

const authority = await issueAuthority(new Date());
const tls = await issueServing(authority, ['127.0.0.1'], new Date());

export async function serve(t: TestContext, decide: Decide = () => ({ outcome: 'labelled' })) {
  const clock = new FakeClock();
  const address = { host: '127.0.0.1', port: 0 };
  const server = await startWebhookServer({ address, decide, clock, logger: silentLogger });
  server.setCertificate(tls);
  const clients: Client[] = [];
  t.after(async () => {
    for (const { socket } of clients) socket.destroy();
    await server.close();
  });
  const client = async (allowHalfOpen = false): Promise<Client> => {
    const made = new Client(connect({ ...server.address, ca: authority.certificate }));
    made.socket.allowHalfOpen = allowHalfOpen;
    clients.push(made);
    await once(made.socket, 'secureConnect');
    return made;
  };
  return { clock, client, server };
}

class Client {
  readonly socket: TLSSocket;
  received = '';

  constructor(socket: TLSSocket) {
    this.socket = socket.setNoDelay(true).on('data', (chunk) => {
      this.received += chunk;
    });
  }

  /** In one piece each, so that the server reads them one after the other. */
  async send(...pieces: (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      if (piece.length > 0) await new Promise((resolve) => this.socket.write(piece, resolve));
      await turns(5);
    }
  }

  /** The bodies of that many answers. */
  async answers(count: number): Promise<string[]> {
    while (this.#bodies().length < count) await once(this.socket, 'data');
    return this.#bodies();
  }

  #bodies(): string[] {
    return [...this.received.matchAll(/^\{.*?\}(?=HTTP|$)/gm)].map(([body]) => body);
  }
}

export const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

export const path = '/webhooks/sharder/controllerring/ring?timeout=5s';
export const review = (uid: string, padding = ''): string =>
  JSON.stringify({
    request: { uid, resource: { group: '', resource: 'secrets' }, object: { metadata: { name: 's' } } },
    padding,
  });

export function plain(uid: string, fields: Record<string, string> = {}, padding = ''): string {
  const body = review(uid, padding);
  const all = { Host: 'sharder', 'Content-Length': `${body.length}`, ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

export const allowed = (uid: string): string =>
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"${uid}","allowed":true}}`;

/** Each decision waits for its read. */
export function byReads(): { reads: (() => void)[]; decide: Decide } {
  const reads: (() => void)[] = [];
  const decide: Decide = () => async () => {
    await new Promise<void>((resolve) => reads.push(resolve));
    return { outcome: 'followed' };
  };
  return { reads, decide };
}
