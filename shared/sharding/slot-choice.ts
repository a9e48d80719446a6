import type { Lease } from '../lease/lease.ts';
import { durationMsOf, holderOf } from '../lease/lease.ts';
import { identityAnnotation, sharderHolder } from './contract.ts';
import { mayStillWork } from './forced-takeover.ts';
import { isHandedOver } from './hold-off.ts';
import { slotName, slotNumber } from './slot-name.ts';

/** A slot's Lease, and since when it is seen unchanged, on the reader's own clock. */
export interface SeenSlot {
  lease: Lease;
  unchangedMs: number;
}

/** What a process that needs a name does: takes a slot that there is, makes one, or waits as a spare. */
export type SlotChoice =
  | { kind: 'take'; slot: SeenSlot }
  | { kind: 'make'; name: string }
  | { kind: 'spare' };

export interface SlotChoiceInput {
  ring: string;
  identity: string;
  /** How many slots the workload wants held. */
  replicas: number;
  /** The Leases of the ring's shards, slots or not. */
  seen: readonly SeenSlot[];
  /** Names that are another's, although no Lease of the ring has them. */
  refused: ReadonlySet<string>;
}

/** In the order in which they are taken. */
const takeable = ['own', 'handed over', 'silent', 'free'] as const;
type SlotState = (typeof takeable)[number] | 'held';

/**
 * The slot that a process takes. First its own, from which its container was restarted; then, while fewer are held than
 * the workload wants: one that was handed over, whose objects wait; one whose holder is silent for its duration; one
 * that was left, and is dead; a new one. Ties by number, so that numbers stay low.
 */
export function chooseSlot(input: SlotChoiceInput): SlotChoice {
  const { ring, identity, replicas, refused } = input;
  const slots = slotsOf(ring, input.seen).map((slot) => ({ slot, state: stateOf(slot, identity) }));
  const held = slots.filter(({ state }) => state === 'held').length;
  for (const wanted of takeable) {
    if (wanted !== 'own' && held >= replicas) return { kind: 'spare' };
    const found = slots.find(({ state }) => state === wanted);
    if (found !== undefined) return { kind: 'take', slot: found.slot };
  }
  const names = new Set(slots.map(({ slot }) => slot.lease.metadata.name));
  for (let number = 0; ; number += 1) {
    const name = slotName(ring, number);
    if (!names.has(name) && !refused.has(name)) return { kind: 'make', name };
  }
}

/**
 * Whether the workload wants a slot that its holder gives up to be held on: not when more are in use than it wants, since
 * then pods become fewer.
 */
export function isSlotWanted(ring: string, replicas: number, leases: readonly Lease[]): boolean {
  const inUse = leases.filter(
    (lease) => slotNumber(ring, lease.metadata.name) !== undefined && (isHandedOver(lease) || !isLeft(lease)),
  );
  return inUse.length <= replicas;
}

const isLeft = (lease: Lease): boolean => holderOf(lease) === '' || holderOf(lease) === sharderHolder;

function stateOf({ lease, unchangedMs }: SeenSlot, identity: string): SlotState {
  if (mayStillWork(lease, unchangedMs)) return 'held';
  if (isHandedOver(lease)) return 'handed over';
  if (isLeft(lease)) return 'free';
  const { name, annotations } = lease.metadata;
  if (holderOf(lease) === name && annotations?.[identityAnnotation] === identity) return 'own';
  return unchangedMs >= durationMsOf(lease) ? 'silent' : 'held';
}

const slotsOf = (ring: string, seen: readonly SeenSlot[]): SeenSlot[] =>
  seen
    .flatMap((slot) => {
      const number = slotNumber(ring, slot.lease.metadata.name);
      return number === undefined ? [] : [{ slot, number }];
    })
    .toSorted((a, b) => a.number - b.number)
    .map(({ slot }) => slot);
