import { SERVICE_RANGE } from '../harness/control-plane-daemons.ts';
import { addressOf, DNS_ADDRESS, FIRST, NODE_PREFIX_LENGTH, type NodeLayout, POD_RANGE } from './layout.ts';

const BRIDGE = 'nodes';

const forwarding = `echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables # Services reach pods behind the same bridge
`;

/** What a node's pid 1 does to its network. No route leads out of it. */
export function networkScript({ number, address }: NodeLayout): string {
  const own = `${address}/${NODE_PREFIX_LENGTH}`;
  if (number === FIRST) {
    return `ip link set lo up
ip link add ${BRIDGE} type bridge
ip address add ${own} dev ${BRIDGE}
ip address add ${DNS_ADDRESS}/32 dev ${BRIDGE}
ip link set ${BRIDGE} up
ip route add ${SERVICE_RANGE} dev ${BRIDGE} # kube-proxy's rules answer before anything is sent
${forwarding}`;
  }
  return `ip link set lo up
until ip link show eth0; do sleep 0.05; done
ip address add ${own} dev eth0
ip link set eth0 up
ip route add ${SERVICE_RANGE} via ${addressOf(FIRST)}
ip route add ${DNS_ADDRESS}/32 dev eth0
ip route add ${POD_RANGE} via ${addressOf(FIRST)}
${forwarding}`;
}

/** The first node's end of the cable to another node. */
const cable = ({ number }: NodeLayout): string => `to-${number}`;

/** Commands in the first node that join another one, whose pid 1 has this pid. */
export const plugCommands = (node: NodeLayout, pid: number): string[][] => [
  ['ip', 'link', 'add', cable(node), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)],
  ['ip', 'link', 'set', cable(node), 'master', BRIDGE],
  ['ip', 'link', 'set', cable(node), 'up'],
  ['ip', 'route', 'replace', node.podRange, 'via', node.address],
];

/** Takes the cable out, or puts it in again: what runs on the node goes on. */
export const cableCommand = (node: NodeLayout, state: 'up' | 'down'): string[] => [
  'ip',
  'link',
  'set',
  cable(node),
  state,
];
