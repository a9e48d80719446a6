import type { BundledPackage } from './bundled-packages.ts';

export interface HashedFile {
  /** In the image. */
  path: string;
  /** In hexadecimal digits. */
  sha256: string;
}

export interface Materials {
  /** Of the image. */
  version: string;
  /** RFC 3339. */
  created: string;
  node: HashedFile & { version: string };
  /** Shared libraries that Node needs. */
  libraries: readonly HashedFile[];
  packages: readonly BundledPackage[];
}

/** What the image consists of, in the form of CycloneDX 1.6. The same materials make the same document. */
export function billOfMaterials({ version, created, node, libraries, packages }: Materials): object {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: created,
      component: {
        type: 'container',
        'bom-ref': 'image',
        name: 'controller-sharding',
        version,
        licenses: [{ expression: 'Apache-2.0' }],
      },
    },
    components: [
      {
        type: 'platform',
        'bom-ref': `pkg:generic/node@${node.version}`,
        name: 'node',
        version: node.version,
        purl: `pkg:generic/node@${node.version}`,
        cpe: `cpe:2.3:a:nodejs:node.js:${node.version}:*:*:*:*:*:*:*`,
        licenses: [{ expression: 'MIT' }],
        hashes: hashesOf(node),
      },
      ...libraries.map((library) => ({
        type: 'file',
        'bom-ref': library.path,
        name: library.path,
        hashes: hashesOf(library),
      })),
      ...packages.map(packageComponent),
    ],
  };
}

const hashesOf = ({ sha256 }: HashedFile): object[] => [{ alg: 'SHA-256', content: sha256 }];

function packageComponent({ name, version, license, integrity, folder }: BundledPackage): object {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm = '', base64 = ''] = integrity.split(/-(.*)/);
  return {
    type: 'library',
    'bom-ref': folder,
    name,
    version,
    purl,
    licenses: [{ expression: license }],
    hashes: [
      { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(base64, 'base64').toString('hex') },
    ],
  };
}
