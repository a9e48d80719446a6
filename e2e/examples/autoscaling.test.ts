import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const folder = 'manifests/operators/webhosting-autoscaling/load';

interface Rule {
  seriesQuery: string;
  name?: { as: string };
  metricsQuery: string;
}

async function adapterRules(): Promise<Rule[]> {
  return parse(await read(`${folder}/adapter-values.yaml`)).rules.custom;
}

const series = ({ seriesQuery }: Rule): string => /^\w+/.exec(seriesQuery)?.[0] ?? '';

test('each metric that the example scales on is made by a rule of the adapter', async () => {
  const patch: string = parse(await read(`${folder}/kustomization.yaml`)).patches[0].patch;
  const wanted = [...patch.matchAll(/metric: \{ name: (\w+)/g)].map(([, name]) => name);
  const made = (await adapterRules()).map((rule) => rule.name?.as ?? series(rule));
  assert.deepEqual(wanted, made);
});

test('the rules ask for metrics that shards have', async () => {
  const page = await read('docs/metrics.md');
  for (const rule of await adapterRules()) {
    const asked = [series(rule), ...rule.metricsQuery.matchAll(/(\w+)\{/g).map(([, name = '']) => name)];
    for (const name of asked)
      assert.ok(
        page.includes(`| \`${name.replace(/_(sum|count)$/, '')}\` |`),
        `${name} is in docs/metrics.md`,
      );
  }
});
