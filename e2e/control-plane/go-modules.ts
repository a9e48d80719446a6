import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BinaryName,
  CNI_PLUGINS_VERSION,
  CONTAINERD_VERSION,
  COREDNS_VERSION,
  ETCD_VERSION,
  HELM_VERSION,
  KUBERNETES_VERSION,
  METRICS_SERVER_VERSION,
  ORIGINAL_SHARD_VERSION,
  PAUSE_VERSION,
  PROMETHEUS_VERSION,
  RUNC_VERSION,
} from './versions.ts';

/** A Go module that pins everything that its programs are built from. */
export interface Module {
  name: string;
  folder: string;
  /** Of its programs. */
  version: string;
  ldflags: string;
  /** Build tags. */
  tags?: string;
  /** Links with libraries of the machine: needs a C compiler, pkg-config and their headers. */
  cgo?: boolean;
  packages: Partial<Record<BinaryName, string>>;
}

const MODULES = fileURLToPath(new URL('./go-modules/', import.meta.url));
const STRIPPED = '-s -w';

function module(
  name: string,
  version: string,
  packages: Module['packages'],
  { ldflags = '', ...more }: Partial<Pick<Module, 'ldflags' | 'tags' | 'cgo'>> = {},
): Module {
  return {
    name,
    folder: join(MODULES, name),
    version,
    ldflags: `${STRIPPED} ${ldflags}`.trim(),
    packages,
    ...more,
  };
}

/** Tells apart what is built from different files of a module: a program of our own changes without a new version. */
function filesHash(name: string): string {
  const folder = join(MODULES, name);
  const files = readdirSync(folder).toSorted();
  return hash('sha256', files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\0')).slice(0, 8);
}

const VERSION_PACKAGE = 'k8s.io/component-base/version';
const [MAJOR, MINOR] = KUBERNETES_VERSION.split('.');
const KUBERNETES = 'k8s.io/kubernetes/cmd';
const CONTAINERD = 'github.com/containerd/containerd/v2';
const CNI_PLUGINS = 'github.com/containernetworking/plugins/plugins';

/** In the order in which they are built: the small ones first. */
export const goModules: readonly Module[] = [
  module('pause', PAUSE_VERSION, { pause: '.' }),
  module('etcd', ETCD_VERSION, { etcd: 'go.etcd.io/etcd/server/v3' }),
  module('cni', CNI_PLUGINS_VERSION, {
    bridge: `${CNI_PLUGINS}/main/bridge`,
    'host-local': `${CNI_PLUGINS}/ipam/host-local`,
  }),
  module(
    'runc',
    RUNC_VERSION,
    { runc: 'github.com/opencontainers/runc' },
    { ldflags: `-X main.version=${RUNC_VERSION}`, tags: 'seccomp', cgo: true },
  ),
  module(
    'containerd',
    CONTAINERD_VERSION,
    {
      containerd: `${CONTAINERD}/cmd/containerd`,
      'containerd-shim-runc-v2': `${CONTAINERD}/cmd/containerd-shim-runc-v2`,
      ctr: `${CONTAINERD}/cmd/ctr`,
    },
    { ldflags: `-X ${CONTAINERD}/version.Version=v${CONTAINERD_VERSION}` },
  ),
  module('coredns', COREDNS_VERSION, { coredns: '.' }),
  module(
    'kubernetes',
    KUBERNETES_VERSION,
    {
      'kube-apiserver': `${KUBERNETES}/kube-apiserver`,
      'kube-controller-manager': `${KUBERNETES}/kube-controller-manager`,
      'kube-scheduler': `${KUBERNETES}/kube-scheduler`,
      kubectl: `${KUBERNETES}/kubectl`,
      kubelet: `${KUBERNETES}/kubelet`,
      'kube-proxy': `${KUBERNETES}/kube-proxy`,
    },
    {
      ldflags: `-X ${VERSION_PACKAGE}.gitVersion=v${KUBERNETES_VERSION} -X ${VERSION_PACKAGE}.gitMajor=${MAJOR} -X ${VERSION_PACKAGE}.gitMinor=${MINOR}`,
    },
  ),
  module(
    'metrics-server',
    METRICS_SERVER_VERSION,
    { 'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
    { ldflags: `-X k8s.io/client-go/pkg/version.gitVersion=v${METRICS_SERVER_VERSION}` },
  ),
  module(
    'prometheus',
    PROMETHEUS_VERSION,
    { promtool: 'github.com/prometheus/prometheus/cmd/promtool' },
    {
      ldflags: `-X github.com/prometheus/common/version.Version=${PROMETHEUS_VERSION}`,
      tags: 'remove_all_sd', // the clients of all clouds, which are most of it
    },
  ),
  module(
    'helm',
    HELM_VERSION,
    { helm: 'helm.sh/helm/v4/cmd/helm' },
    { ldflags: `-X helm.sh/helm/v4/internal/version.version=v${HELM_VERSION}` },
  ),
  module('original-shard', `${ORIGINAL_SHARD_VERSION}-${filesHash('original-shard')}`, {
    'original-shard': '.',
  }),
];

/** The module of which this is a program. */
export function moduleOf(binary: BinaryName): Module {
  const found = goModules.find(({ packages }) => packages[binary] !== undefined);
  if (found === undefined) throw new Error(`no module has the program ${binary}`);
  return found;
}
