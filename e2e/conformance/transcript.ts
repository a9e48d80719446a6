import { ApiError } from '@controller-sharding/shared/kube/errors.ts';

/** The version of a collection: no write's own, but not older than the last one. */
export class CollectionVersion {
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }
}

export interface Refusal {
  status: number;
  reason: string;
  /** Fields that the message complains of. */
  causes?: string[];
}

/** One thing that was done, and what the API server said to it. */
export interface Entry {
  did: string;
  saw?: unknown;
  refused?: Refusal;
}

/** `metadata.name: Invalid value`, as field errors are written. */
const fieldError =
  /([a-zA-Z][\w.[\]"/-]*): (Invalid value|Required value|Forbidden|Duplicate value|Unsupported value|Too long)/g;
/** `conflict with "other": .data.a`, or a list of fields below `conflicts with "other":`. */
const applyConflict = /conflicts? with ("[^"]*"(?: with subresource "[^"]*")?)|(?:^- |: )(\.\S+)/gm;

export function refusalOf(error: ApiError): Refusal {
  const { status, reason, message } = error;
  const expression = status === 409 ? applyConflict : fieldError;
  const causes = [...message.matchAll(expression)].map((match) =>
    status === 409 ? (match[1] ?? match[2] ?? '') : `${match[1]}: ${match[2]}`,
  );
  return { status, reason, ...(causes.length > 0 && { causes: causes.toSorted() }) };
}

/**
 * The same for every API server: uids and generated names by their order of appearance, versions by their rank, times
 * only as being there; without what clients fill in themselves.
 */
export function normalised(entries: readonly Entry[], namespaces: readonly string[]): Entry[] {
  const names = new Names(namespaces);
  names.collect(entries);
  const result: Entry[] = JSON.parse(JSON.stringify(names.replaced(entries, '')));
  return result;
}

const times = new Set(['creationTimestamp', 'deletionTimestamp']);
/** Told by the client, not by the API server. */
const ofClient = new Set(['apiVersion', 'kind']);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class Names {
  readonly #replacements: Array<[string, string]> = [];
  readonly #uids = new Map<string, string>();
  readonly #generated = new Set<string>();
  readonly #versions = new Set<bigint>();
  #ranks: bigint[] = [];

  constructor(namespaces: readonly string[]) {
    for (const [index, name] of namespaces.entries())
      this.#replacements.push([name, index === 0 ? 'NS' : `NS${index + 1}`]);
  }

  collect(value: unknown): void {
    this.#visit(value);
    this.#ranks = [...this.#versions].toSorted((a, b) => (a < b ? -1 : 1));
  }

  replaced(value: unknown, key: string): unknown {
    if (value instanceof CollectionVersion) return this.#atLeast(value.value);
    if (Array.isArray(value)) return value.map((item) => this.replaced(item, key));
    if (isRecord(value)) {
      return Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => !(ofClient.has(name) && isRecord(value['metadata'])))
          .map(([name, item]) => [name, this.replaced(item, name)]),
      );
    }
    if (typeof value !== 'string') return value;
    if (times.has(key)) return 'TIME';
    if (key === 'resourceVersion' && this.#ranks.length > 0) return this.#rank(value);
    return this.#replacements.reduce((text, [from, to]) => text.replaceAll(from, to), value);
  }

  #visit(value: unknown): void {
    if (Array.isArray(value)) for (const item of value) this.#visit(item);
    if (!isRecord(value) || value instanceof CollectionVersion) return;
    const { uid, resourceVersion, generateName, name } = value;
    if (typeof uid === 'string' && !this.#uids.has(uid)) {
      const replacement = `UID${this.#uids.size + 1}`;
      this.#uids.set(uid, replacement);
      if (uid.length >= 5) this.#replacements.push([uid, replacement]);
    }
    if (typeof resourceVersion === 'string' && /^\d+$/.test(resourceVersion)) {
      this.#versions.add(BigInt(resourceVersion));
    }
    if (typeof generateName === 'string' && typeof name === 'string')
      this.#visitGenerated(generateName, name);
    for (const item of Object.values(value)) this.#visit(item);
  }

  #visitGenerated(prefix: string, name: string): void {
    if (this.#generated.has(name) || !/^[a-z0-9]{5}$/.test(name.slice(-5)) || name.length <= 5) return;
    if (!prefix.startsWith(name.slice(0, -5))) return;
    this.#generated.add(name);
    this.#replacements.push([name, `${name.slice(0, -5)}GENERATED${this.#generated.size}`]);
  }

  #rank(version: string): string {
    return /^\d+$/.test(version) ? `RV${this.#ranks.indexOf(BigInt(version)) + 1}` : version;
  }

  #atLeast(version: string): string {
    if (!/^\d+$/.test(version)) return version;
    const known = this.#ranks.filter((rank) => rank <= BigInt(version)).length;
    return known === 0 ? 'any' : `RV${known} or later`;
  }
}
