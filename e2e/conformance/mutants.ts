/** A fault put into the program on purpose, which its tests have to catch. */
export interface Mutant {
  /** What no longer holds. */
  breaks: string;
  /** In the repository. */
  file: string;
  /** Occurs once in the file. */
  text: string;
  replacement: string;
  /** File of the tests. */
  test: string;
  /** What the names of those begin with that have to catch it; default: any of the file. */
  named?: string | undefined;
}

/** Of a file and the tests that have to catch it. */
export const mutantOf =
  (file: string, test: string, named: string) =>
  (breaks: string, text: string, replacement: string): Mutant => ({
    breaks,
    file,
    text,
    replacement,
    test,
    named,
  });

const conformance = 'e2e/conformance/memory.test.ts';

const inMemory = (file: string, text: string, replacement: string, breaks: string): Mutant => ({
  breaks,
  file: `shared/testing/${file}`,
  text,
  replacement,
  test: conformance,
});

const inReflector = (text: string, replacement: string, breaks: string): Mutant => ({
  breaks,
  file: 'shared/kube/reflector.ts',
  text,
  replacement,
  test: conformance,
});

export const memoryServerMutants: Mutant[] = [
  inMemory(
    'memory-watches.ts',
    "was ? 'MODIFIED' : 'ADDED'",
    "was || before ? 'MODIFIED' : 'ADDED'",
    'an object that begins to match a selector is ADDED',
  ),
  inMemory(
    'memory-watches.ts',
    'if (!was) return undefined;',
    'if (!was || now) return undefined;',
    'an object that ceases to match a selector is DELETED',
  ),
  inMemory(
    'memory-watches.ts',
    'resourceVersion: String(version) };\n  return',
    'resourceVersion: before.metadata.resourceVersion };\n  return',
    'a deletion has its own version',
  ),
  inMemory(
    'memory-watches.ts',
    'asked < this.#store.oldest(resource)',
    'asked < 0',
    'a watch from a version that is no longer kept is 410',
  ),
  inMemory(
    'list-pages.ts',
    'token === undefined ? this.#store.list(resource) : this.#snapshots.get(name)',
    'this.#store.list(resource)',
    'all pages show one moment, and expire',
  ),
  inMemory(
    'api-server.ts',
    'resourceVersion !== present.object.metadata.resourceVersion',
    'Number(resourceVersion) > Number(present.object.metadata.resourceVersion)',
    'a write with an old version is a conflict',
  ),
  inMemory(
    'api-server.ts',
    'if (jsonEquals(next, present.object) && sameOwners(owners, present.owners)) return present.object;',
    '',
    'a write that changes nothing leaves the version',
  ),
  inMemory(
    'api-server.ts',
    'if (isFinished(next)) {',
    'if (Math.random() > 1) {',
    'the last finalizer removed deletes',
  ),
  inMemory(
    'object-rules.ts',
    '...(resource.statusSubresource ? withStatusOf(body, statusOf(present)) : body),',
    '...body,',
    'the main address leaves the status',
  ),
  inMemory(
    'object-rules.ts',
    'object.metadata.generation = (own.generation ?? 0) + 1;',
    '',
    'a changed spec raises the generation',
  ),
  inMemory(
    'server-side-apply.ts',
    'if (conflicts.length > 0 && !force)',
    'if (conflicts.length > 1 && !force)',
    "an apply that changes another's field is a conflict",
  ),
  inMemory(
    'label-selector.ts',
    'return value === undefined || !values.has(value);',
    'return value !== undefined && !values.has(value);',
    '`notin` selects what has no such label',
  ),
  inMemory(
    'garbage-collector.ts',
    'if (!found || found.uid !== reference.uid) return',
    'if (!found) return',
    'an owner is known by its uid',
  ),
];

export const reflectorMutants: Mutant[] = [
  inReflector('if (relist) this.#resourceVersion = undefined;', '', 'what is no longer kept is listed again'),
  inReflector(
    'if (resourceVersion) this.#resourceVersion = resourceVersion;',
    '',
    'a watch goes on where the last one was',
  ),
  inReflector('else this.#sink.remove(key, undefined);', '', 'an object that is no longer kept is removed'),
  inReflector(
    'for await (const page of client.list<T>(resource, form, options)) {',
    'for await (const page of client.list<T>(resource, form, options)) {\n      objects.clear();',
    'all pages of a list count',
  ),
  inReflector(
    'if (initial && !signal.aborted && refusesWatchList(error)) {',
    'if (Math.random() > 1) {',
    'an API server without WatchList is listed',
  ),
  inReflector(
    "if (type === 'DELETED') this.#sink.remove(key, this.#project(object));",
    "if (type === 'DELETED') this.#sink.remove(key, undefined);",
    'a deletion is told with its last state',
  ),
  inReflector(
    'resourceVersion = page.resourceVersion;',
    "resourceVersion = '';",
    'a watch begins where the list was taken',
  ),
  inReflector(
    'const backoffMs = atOnce ? 0 : this.#backoff.next(retryAfterMs);',
    'const backoffMs = 0;',
    'failures are followed by longer and longer waits',
  ),
];
