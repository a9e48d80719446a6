import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import type { Theme } from '../webhosting/resources.ts';
import { cachedMetadata } from './cached-metadata.ts';
import { type Family, labelText, type MetricRow } from './metrics-text.ts';

/** What is kept of a Theme. */
export interface ThemeRow extends KubeObject, MetricRow {
  color: string;
  fontFamily: string;
  generation: number;
}

export const themeRow = ({ metadata, spec }: Theme): ThemeRow => ({
  metadata: cachedMetadata(metadata),
  identity: labelText({ theme: metadata.name, uid: metadata.uid ?? '' }),
  color: spec.color,
  fontFamily: spec.fontFamily,
  generation: metadata.generation ?? 0,
});

export const themeFamilies: readonly Family<ThemeRow>[] = [
  {
    name: 'kube_theme_info',
    help: 'Information about a Theme',
    samples: ({ color, fontFamily }) => [{ labels: { color, font_family: fontFamily }, value: 1 }],
  },
  {
    name: 'kube_theme_metadata_generation',
    help: 'The generation of the spec of a Theme',
    samples: ({ generation }) => [{ value: generation }],
  },
];
