/** An npm package of which something is in the bundles. */
export interface BundledPackage {
  name: string;
  version: string;
  /** SPDX expression. */
  license: string;
  /** Of its archive, as in the lockfile: `sha512-…` in base64. */
  integrity: string;
  /** Relative to the top of the repository. */
  folder: string;
}

/** package-lock.json, as far as it is used here. */
export interface PackageLock {
  packages: Record<string, Partial<Pick<BundledPackage, 'version' | 'license' | 'integrity'>>>;
}

const folderOfPackage = /^(?:.*\/)?node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)(?=\/)/;

/** The packages to which these files belong, by name. Throws an error for one that the lockfile doesn't tell enough of. */
export function bundledPackages(files: readonly string[], lock: PackageLock): BundledPackage[] {
  const found = new Map<string, BundledPackage>();
  for (const file of files) {
    const match = folderOfPackage.exec(file);
    const [folder] = match ?? [];
    const name = match?.groups?.['name'];
    if (folder === undefined || name === undefined || found.has(folder)) continue;
    const { version, license, integrity } = lock.packages[folder] ?? {};
    if (version === undefined || license === undefined || integrity === undefined) {
      throw new Error(`package-lock.json doesn't say version, license and integrity of ${folder}`);
    }
    found.set(folder, { name, version, license, integrity, folder });
  }
  return [...found.values()].toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}
