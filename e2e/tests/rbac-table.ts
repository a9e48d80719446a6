import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const manifests = fileURLToPath(new URL('../../manifests', import.meta.url));

/** A verb for a resource. */
export interface Right {
  /** Name of a ClusterRole, or `Role` and the name of one. */
  role: string;
  group: string;
  resource: string;
  /** The only object that it is for. */
  name: string | undefined;
  verb: string;
}

export interface NeededRight extends Right {
  /** Name of the scenario that needs it. */
  scenario: string;
  /** Without it the scenario comes to the same end, only later or with more requests. */
  isForSpeed: boolean;
}

const forSpeed = ' (sooner)';

/** The rights in manifests/README.md, each with its scenario. */
export async function documentedRights(): Promise<NeededRight[]> {
  const text = await readFile(join(manifests, 'README.md'), 'utf8');
  const [, section = ''] = /^## Rights$([^]*?)(?=^## |(?![^]))/m.exec(text) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => {
    const [role = '', group = '', what = '', verbs = '', scenario = ''] = row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''));
    const [resources = '', name] = what.split(' named ');
    return resources.split(', ').flatMap((resource) =>
      verbs.split(', ').map((verb) => ({
        role,
        group: group === 'core' ? '' : group,
        resource,
        name,
        verb,
        scenario: scenario.replace(forSpeed, ''),
        isForSpeed: scenario.endsWith(forSpeed),
      })),
    );
  });
}

interface Role {
  kind: string;
  metadata: { name: string };
  rules?: { apiGroups: string[]; resources?: string[]; resourceNames?: string[]; verbs: string[] }[];
}

/** The rights that these files of the manifests give, but for those to paths that are no resources. */
export async function givenRights(files: readonly string[]): Promise<Right[]> {
  const texts = await Promise.all(files.map((file) => readFile(join(manifests, file), 'utf8')));
  const roles = texts
    .flatMap((text) => parseAllDocuments(text))
    .map((document): Role => document.toJS())
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
  return roles.flatMap(({ kind, metadata, rules = [] }) =>
    rules.flatMap(({ apiGroups, resources = [], resourceNames, verbs }) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => ({
          role: kind === 'Role' ? `Role ${metadata.name}` : metadata.name,
          group: apiGroups.join(', '),
          resource,
          name: resourceNames?.join(', '),
          verb,
        })),
      ),
    ),
  );
}

export const textOf = ({ role, group, resource, name, verb }: Right): string =>
  `${role}: ${verb} ${resource}${name === undefined ? '' : ` named ${name}`} (${group || 'core'})`;
