export const KUBERNETES_VERSION = '1.37.2';
export const ETCD_VERSION = '3.7.3';
export const PROMETHEUS_VERSION = '3.16.0';
export const HELM_VERSION = '4.3.1';
export const CONTAINERD_VERSION = '2.4.2';
export const RUNC_VERSION = '1.5.2';
export const CNI_PLUGINS_VERSION = '1.9.1';
export const COREDNS_VERSION = '1.15.0';
export const METRICS_SERVER_VERSION = '0.9.0';
export const PAUSE_VERSION = '1';
/** The release of the Go original from whose packages it is made. */
export const ORIGINAL_SHARD_VERSION = '0.11.0';
/** The Go release that the modules in `go-modules/` ask for. */
export const GO_VERSION = '1.26';

/** A control plane's, and tools. */
export const BINARY_NAMES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'promtool',
  'helm',
] as const;
export type ControlPlaneBinary = (typeof BINARY_NAMES)[number];

/** What a node needs beside them, or can have in pods; `bridge` and `host-local` are CNI plugins. */
export const NODE_BINARY_NAMES = [
  'kubelet',
  'kube-proxy',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
  'bridge',
  'host-local',
  'coredns',
  'pause',
  'metrics-server',
] as const;

/** What a test runs beside them. */
export const TEST_BINARY_NAMES = ['original-shard'] as const;
export type BinaryName =
  | ControlPlaneBinary
  | (typeof NODE_BINARY_NAMES)[number]
  | (typeof TEST_BINARY_NAMES)[number];

export const isBinaryName = (name: string): name is BinaryName =>
  ([...BINARY_NAMES, ...NODE_BINARY_NAMES, ...TEST_BINARY_NAMES] as readonly string[]).includes(name);
