import { join } from 'node:path';
import { type Layout, logFolder } from '../harness/control-plane-daemons.ts';

/** Nodes have these addresses, and what they are joined by is the first one's bridge. */
const NODE_NETWORK = '10.250.0';
export const NODE_PREFIX_LENGTH = 24;
export const DNS_ADDRESS = `${NODE_NETWORK}.53`;
export const POD_RANGE = '10.244.0.0/16';
/** The control plane's node. */
export const FIRST = 1;

/** Where a node has what. */
export interface NodeLayout {
  /** From 1 on. */
  number: number;
  name: string;
  /** Not below /run, /var/lib and /var/log, of which a node has its own. */
  dir: string;
  logs: string;
  address: string;
  podRange: string;
  /** Path below each cgroup hierarchy. */
  cgroup: string;
  /** Of containerd. */
  socket: string;
}

export const addressOf = (number: number): string => `${NODE_NETWORK}.${10 + number}`;

/** Of the names of nodes' cgroups on this machine; the pid of the process that made them follows. */
export const CGROUP_PREFIX = 'controller-sharding-';

export function nodeLayout(cluster: Layout, number: number): NodeLayout {
  const name = `node-${number}`;
  const dir = join(cluster.dir, name);
  return {
    number,
    name,
    dir,
    logs: join(logFolder(cluster), name),
    address: addressOf(number),
    podRange: `10.244.${number}.0/24`,
    cgroup: `${CGROUP_PREFIX}${process.pid}-${name}`,
    socket: join(dir, 'containerd.sock'),
  };
}

/** Inside of the first node, and outside: what is written to it reaches the API server. */
export const apiSocket = ({ dir }: Layout): string => join(dir, 'api.sock');
