/** `npm run docs`: writes docs/configuration.md, and the Helm chart's schema of the sharder's configuration. */
import { readFileSync, writeFileSync } from 'node:fs';
import { chartConfigSchema } from './chart-schema.ts';
import { configurationPage } from './documentation.ts';

writeFileSync(new URL('../../docs/configuration.md', import.meta.url), configurationPage());

const chartSchema = new URL('../../manifests/helm/controller-sharding/values.schema.json', import.meta.url);
const schema: { properties: Record<string, object> } = JSON.parse(readFileSync(chartSchema, 'utf8'));
schema.properties['config'] = chartConfigSchema();
writeFileSync(chartSchema, `${JSON.stringify(schema, null, 2)}\n`);
