import { join } from 'node:path';
import type { ControlPlaneBinary } from '../control-plane/versions.ts';

/** Where the parts of a control plane find each other. */
export interface Layout {
  dir: string;
  apiServerPort: number;
}

export const logFolder = ({ dir }: Pick<Layout, 'dir'>): string => join(dir, 'logs');
export const logFileOf = (layout: Pick<Layout, 'dir'>, name: string): string =>
  join(logFolder(layout), `${name}.log`);
export const pkiFile = ({ dir }: Pick<Layout, 'dir'>, name: string): string => join(dir, 'pki', name);
export const kubeconfigFile = ({ dir }: Pick<Layout, 'dir'>, name: string): string =>
  join(dir, `${name}.kubeconfig`);
export const urlOf = ({ apiServerPort }: Layout): string => `https://127.0.0.1:${apiServerPort}`;
export const etcdDataFolder = ({ dir }: Pick<Layout, 'dir'>): string => join(dir, 'etcd');

/** Sockets in the instance's own folder: nobody else can reach or meet this etcd, and it needs no port. */
const etcdSocket = ({ dir }: Layout, name: string): string => `unix://${join(dir, `${name}.sock`)}`;

/** The range of Services' addresses; its first is the API server's own. */
export const SERVICE_RANGE = '10.96.0.0/16';
export const API_SERVICE_ADDRESS = '10.96.0.1';

export type DaemonName = Exclude<ControlPlaneBinary, 'kubectl' | 'promtool' | 'helm'>;

/** Command lines. Flags that differ from a production cluster's say why. */
export const daemonArgs: Record<DaemonName, (layout: Layout) => string[]> = {
  etcd: (layout) => [
    `--data-dir=${etcdDataFolder(layout)}`,
    `--listen-client-urls=${etcdSocket(layout, 'etcd')}`,
    `--advertise-client-urls=${etcdSocket(layout, 'etcd')}`,
    `--listen-peer-urls=${etcdSocket(layout, 'etcd-peer')}`,
    '--unsafe-no-fsync', // the data needn't outlive the machine's power
    '--log-level=warn',
  ],
  'kube-apiserver': (layout) => [
    `--etcd-servers=${etcdSocket(layout, 'etcd')}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${layout.apiServerPort}`,
    `--cert-dir=${join(layout.dir, 'pki')}`,
    `--tls-cert-file=${pkiFile(layout, 'apiserver.crt')}`,
    `--tls-private-key-file=${pkiFile(layout, 'apiserver.key')}`,
    `--client-ca-file=${pkiFile(layout, 'ca.crt')}`,
    `--service-account-key-file=${pkiFile(layout, 'service-accounts.pub')}`,
    `--service-account-signing-key-file=${pkiFile(layout, 'service-accounts.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--endpoint-reconciler-type=none', // a loopback address can't be an endpoint
    '--enable-aggregator-routing=true', // Services are resolved to their endpoints: there is no kube-proxy
  ],
  'kube-controller-manager': (layout) => [
    `--kubeconfig=${kubeconfigFile(layout, 'kube-controller-manager')}`,
    `--service-account-private-key-file=${pkiFile(layout, 'service-accounts.key')}`,
    `--root-ca-file=${pkiFile(layout, 'ca.crt')}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=500', // with the default, the first ServiceAccounts come 4 s late
    '--kube-api-burst=1000',
  ],
  'kube-scheduler': (layout) => [
    `--kubeconfig=${kubeconfigFile(layout, 'kube-scheduler')}`,
    '--leader-elect=false',
    '--secure-port=0',
  ],
};
