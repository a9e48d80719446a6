/** A mapping of a kubeconfig. Null counts as absent; what has the wrong form is thrown as an error that names it. */
export class KubeConfigFields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #path: string;

  /** `path`: of the mapping in its document, as in `users[0].user`; '' for the document itself. */
  constructor(value: unknown, path: string) {
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isMapping && value !== undefined && value !== null)
      throw new Error(`${path || 'it'} is not a mapping`);
    this.#values = new Map(Object.entries(value ?? {}));
    this.#path = path;
  }

  /** An empty text counts as absent, too. */
  text(name: string): string | undefined {
    const value = this.#values.get(name) ?? '';
    if (typeof value !== 'string') throw new Error(`${this.#pathOf(name)} is not a text: quote it`);
    return value === '' ? undefined : value;
  }

  neededText(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new Error(`${this.#pathOf(name)} is missing`);
    return value;
  }

  isTrue(name: string): boolean {
    return this.#values.get(name) === true;
  }

  texts(name: string): string[] {
    return this.#items(name).map((value, index) => {
      if (typeof value === 'string') return value;
      throw new Error(`${this.#pathOf(name)}[${index}] is not a text: quote it`);
    });
  }

  fields(name: string): KubeConfigFields | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === null
      ? undefined
      : new KubeConfigFields(value, this.#pathOf(name));
  }

  list(name: string): KubeConfigFields[] {
    return this.#items(name).map(
      (value, index) => new KubeConfigFields(value, `${this.#pathOf(name)}[${index}]`),
    );
  }

  /** A list of named mappings: each has a `name`, and the rest in the field `kind`. */
  entries<T>(name: string, kind: string, make: (name: string, fields: KubeConfigFields) => T): T[] {
    return this.list(name).map((entry) => {
      const fields = entry.fields(kind) ?? new KubeConfigFields({}, entry.#pathOf(kind));
      return make(entry.neededText('name'), fields);
    });
  }

  #items(name: string): unknown[] {
    const value = this.#values.get(name) ?? [];
    if (!Array.isArray(value)) throw new Error(`${this.#pathOf(name)} is not a list`);
    return value;
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}
