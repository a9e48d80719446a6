import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { projectLabel, skipWorkloadLabel, type Theme, type Website } from '../resources.ts';
import { seededRandom, skewedPick } from './random.ts';
import { adjectives, colors, fontFamilies, nouns, purposes } from './words.ts';

export interface SampleOptions {
  websites: number;
  namespaces: number;
  themes: number;
  /** The same samples for the same number. */
  seed: number;
  /** The websites get no pods. */
  skipWorkload: boolean;
}

export interface Samples {
  namespaces: KubeObject[];
  themes: Theme[];
  /** One after the other: there may be very many. */
  websites(): Generator<Website>;
}

/**
 * Projects with their websites, as customers have them: a few projects have most of the websites, and a few themes are
 * used by most.
 */
export function samples(options: SampleOptions): Samples {
  const random = seededRandom(options.seed);
  const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
  const namespaces = unique(options.namespaces, () => `${pick(adjectives)}-${pick(nouns)}`);
  const themes = unique(options.themes, () => `${pick(colors)}-${pick(nouns)}`);
  const looks = themes.map((name): Theme => {
    const color = random() < 0.5 ? pick(colors) : `#${hex(random)}${hex(random)}${hex(random)}`;
    return { metadata: { name }, spec: { color, fontFamily: pick(fontFamilies) } };
  });
  return {
    namespaces: namespaces.map((name) => ({ metadata: { name, labels: { [projectLabel]: 'true' } } })),
    themes: looks,
    *websites() {
      const ofWebsites = seededRandom(options.seed + 1);
      const [namespace, theme] = [options.namespaces, options.themes].map((count) =>
        skewedPick(count, ofWebsites),
      );
      const taken = new Map<string, number>();
      for (let made = 0; made < options.websites; made += 1) {
        const project = namespaces[namespace?.() ?? 0] ?? '';
        const purpose = purposes[Math.floor(ofWebsites() * purposes.length)] ?? purposes[0];
        const count = (taken.get(`${project}/${purpose}`) ?? 0) + 1;
        taken.set(`${project}/${purpose}`, count);
        yield {
          metadata: {
            name: count === 1 ? purpose : `${purpose}-${count}`,
            namespace: project,
            ...(options.skipWorkload && { labels: { [skipWorkloadLabel]: 'true' } }),
          },
          spec: { theme: themes[theme?.() ?? 0] ?? '' },
        };
      }
    },
  };
}

/** So many names, told apart by numbers where they are the same. */
function unique(count: number, make: () => string): string[] {
  const names = new Set<string>();
  while (names.size < count) {
    const name = make();
    names.add(names.has(name) ? `${name}-${names.size}` : name);
  }
  return [...names];
}

/** Dark enough to be read. */
const hex = (random: () => number): string =>
  Math.floor(random() * 128)
    .toString(16)
    .padStart(2, '0');
