import { UsageError } from '@controller-sharding/shared/runtime/usage-error.ts';
import type { HostingOptions } from './children.ts';

export const hostingFlags = {
  'ingress-host': { type: 'string', describe: 'host of all Ingresses; default: any' },
  'ingress-tls-secret': {
    type: 'string',
    describe: "Secret with that host's certificate, in the namespace of each Website; default: no TLS",
  },
  'skip-workload': {
    type: 'boolean',
    default: false,
    describe: 'no Website gets pods, and each is Ready without: for load tests',
  },
} as const;

interface HostingFlags {
  'ingress-host': string | undefined;
  'ingress-tls-secret': string | undefined;
  'skip-workload': boolean;
}

const subdomain = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Throws UsageError. */
export function hostingOptions(flags: HostingFlags): HostingOptions {
  const host = flags['ingress-host'];
  const tlsSecret = flags['ingress-tls-secret'];
  if (host !== undefined && !(subdomain.test(host) && host.length <= 253)) {
    throw new UsageError(`--ingress-host: "${host}" is not the name of a host`);
  }
  if (tlsSecret !== undefined) {
    if (host === undefined) throw new UsageError('--ingress-tls-secret: needs --ingress-host');
    if (tlsSecret.startsWith('*') || !(subdomain.test(tlsSecret) && tlsSecret.length <= 253))
      throw new UsageError(`--ingress-tls-secret: "${tlsSecret}" is not the name of a Secret`);
  }
  return { ingressHost: host, ingressTlsSecret: tlsSecret, skipWorkload: flags['skip-workload'] };
}
