/** What of a package.json matters here. */
export interface Manifest {
  name: string;
  version: string;
  /** By subpath, the source file of each entry. */
  exports: Record<string, string>;
  dependencies?: Record<string, string>;
  private?: boolean;
  devDependencies?: Record<string, string>;
}

interface Entry {
  types: string;
  default: string;
}

export type PackedManifest = Omit<Manifest, 'exports' | 'private' | 'devDependencies'> & {
  exports: Record<string, Entry>;
};

/**
 * The package.json of the package that others install: its entries are JavaScript with declarations. Patterns, by which
 * the workspaces of this repository import any source file, are not for others.
 */
export function packedManifest(manifest: Manifest): PackedManifest {
  const { private: _private, devDependencies: _devDependencies, exports, ...rest } = manifest;
  const entries = Object.entries(exports).filter(([subpath]) => !subpath.includes('*'));
  return {
    ...rest,
    exports: Object.fromEntries(entries.map(([subpath, source]) => [subpath, compiled(source)])),
  };
}

function compiled(source: string): Entry {
  if (!source.endsWith('.ts')) throw new Error(`the entry ${source} is not a TypeScript file`);
  const stem = source.slice(0, -'.ts'.length);
  return { types: `${stem}.d.ts`, default: `${stem}.js` };
}
