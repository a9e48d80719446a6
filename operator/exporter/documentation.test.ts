import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { theme, website } from '../webhosting/website-fixture.ts';
import { metricsText } from './metrics-text.ts';
import { shardFamilies, shardRow } from './shard-metrics.ts';
import { themeFamilies, themeRow } from './theme-metrics.ts';
import { websiteFamilies, websiteRow } from './website-metrics.ts';

const page = readFileSync(new URL('../../docs/webhosting.md', import.meta.url), 'utf8');

/** `name type label,label` of all metrics, by one object of each kind. */
async function exposed(): Promise<Set<string>> {
  const slice = new Slice(systemClock);
  const parts = [
    metricsText(websiteFamilies, [websiteRow('ring')(website())], slice),
    metricsText(themeFamilies, [themeRow(theme())], slice),
    metricsText(shardFamilies, [shardRow({ metadata: { name: 'a' } })], slice),
  ];
  const text = (await Promise.all(parts.map((part) => Array.fromAsync(part)))).flat().join('');
  const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]));
  return new Set(
    [...text.matchAll(/^(\w+)\{(.*)\} \d+$/gm)].map(([, name, labels = '']) =>
      [name, types.get(name), [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label)].join(' '),
    ),
  );
}

test('docs/webhosting.md has every metric with its type and labels, and no other', async () => {
  const documented = [...page.matchAll(/^\| `(kube_\w+)` \| (\w+) \| (.*?) \| /gm)].map(
    ([, name, type, labels = '']) =>
      [name, type, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)].join(' '),
  );
  assert.deepEqual(documented, [...(await exposed())]);
});
