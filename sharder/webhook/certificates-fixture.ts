import { X509Certificate } from 'node:crypto';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { splitBundle } from './certificate-contents.ts';
import { SecretCertificate, type SecretCertificateOptions } from './certificates.ts';

export const names = ['127.0.0.1', '::1', 'localhost', 'sharder.sharding-system.svc'];
const { signal } = new AbortController();

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

/** The Secrets of an API server that one can watch being asked. */
export function fakeApi() {
  const api = {
    secret: undefined as Secret | undefined,
    writes: [] as string[],
    /** Runs before a write is looked at: another replica. */
    beforeWrite: async (): Promise<void> => {},
    /** Another replica, or this one after a restart. */
    replica: (more: Partial<SecretCertificateOptions> = {}) => {
      const source = new SecretCertificate({
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only Secrets are asked for
        client: api.client as SecretCertificateOptions['client'],
        clock: new FakeClock(),
        namespace: 'sharding-system',
        names,
        trusted: () => true,
        ...more,
      });
      return {
        problem: async (): Promise<unknown> => (await source.read(signal)).problem,
        read: async () => {
          const { certificate, key, authorities = '' } = (await source.read(signal)).certificate;
          return { certificate, key, authorities: splitBundle(authorities) };
        },
      };
    },
    client: {
      get: async () => {
        if (!api.secret) throw new ApiError(404, 'NotFound', 'not found');
        return structuredClone(api.secret);
      },
      create: async (_resource: unknown, object: Secret) => {
        await api.beforeWrite();
        if (api.secret) throw new ApiError(409, 'AlreadyExists', 'exists');
        return api.write('create', object, 1);
      },
      update: async (_resource: unknown, object: Secret) => {
        await api.beforeWrite();
        const version = api.secret?.metadata.resourceVersion;
        if (object.metadata.resourceVersion !== version) throw new ApiError(409, 'Conflict', 'changed');
        return api.write('update', object, Number(version) + 1);
      },
    },
    write(verb: string, object: Secret, version: number): Secret {
      api.writes.push(verb);
      api.secret = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } };
      return api.secret;
    },
  };
  return api;
}

/** Whether an authority (PEM) signed a certificate (PEM). */
export const signs = (authority: string | undefined, certificate: string): boolean =>
  new X509Certificate(certificate).verify(new X509Certificate(authority ?? '').publicKey);
