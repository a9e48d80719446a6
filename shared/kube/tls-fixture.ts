// oxlint-disable-next-line import/no-unassigned-import -- x509 needs it to be there first
import 'reflect-metadata';
import { createServer } from 'node:https';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { FakeClock } from '../testing/fake-clock.ts';
import type { Cluster, User } from './kube-config.ts';
import { Transport } from './transport.ts';

export interface Certificate {
  cert: string;
  key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Signed by itself. */
export async function certificateFor(name: string): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  });
  const key = x509.PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  return { cert: certificate.toString('pem'), key };
}

/** A TLS server whose answer is the name in the client's certificate; returns its URL. */
export async function startTlsServer(
  t: TestContext,
  own: Certificate,
  clients: Certificate[],
  answering: (answer: () => void) => void = (answer) => answer(),
): Promise<string> {
  const ca = clients.map(({ cert }) => cert);
  const tls = { ...own, ca, requestCert: true, rejectUnauthorized: false };
  const subjects = new WeakMap<object, string>();
  const server = createServer(tls, (request, response) => {
    answering(() => response.end(JSON.stringify(subjects.get(request.socket) ?? null)));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const name = socket.authorized ? socket.getPeerCertificate().subject.CN : undefined;
    if (typeof name === 'string') subjects.set(socket, name);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `https://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`;
}

/** Closed after the test. */
export function transportFor(
  t: TestContext,
  cluster: Partial<Cluster> & { server: string },
  user: Partial<User> = {},
  clock = new FakeClock(),
): Transport {
  const kubeConfig = {
    cluster: { name: 'cluster', ...cluster },
    user: { name: 'user', ...user },
    namespace: 'default',
  };
  const transport = new Transport(kubeConfig, { clock });
  t.after(() => transport.close());
  return transport;
}
