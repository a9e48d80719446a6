import { readFileSync } from 'node:fs';

export interface DocumentedMetric {
  name: string;
  type: string;
  labels: string[];
}

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

/** What only the replicas of an operator serve. */
const ofShards = /^## Shard$[\s\S]*?(?=^## )/m;

/** The metrics in the tables of docs/metrics.md: all, or those that the sharder serves. */
export function documentedMetrics(of: 'all' | 'sharder' = 'all'): DocumentedMetric[] {
  const tables = of === 'all' ? page : page.replace(ofShards, '');
  return [...tables.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| (.*?) \| /gm)].map(
    ([, name = '', type = '', labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    }),
  );
}

/** The outcomes of admission requests in their table there. */
export function documentedOutcomes(): string[] {
  const [, table = ''] = page.split('| outcome |');
  const [rows = ''] = table.split('\n\n');
  return [...rows.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name),
  );
}

/** Those that every process on Node.js has, by prom-client. */
export const isDefault = (name: string): boolean => /^(process|nodejs)_/.test(name);
