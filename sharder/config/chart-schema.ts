import * as z from 'zod';
import { valueKind } from './leaves.ts';
import { sharderConfig } from './schema.ts';

/** What the Helm chart's templates set themselves. */
const setByTheChart = [
  'apiVersion',
  'kind',
  'clientConnection.kubeconfig',
  'leaderElection.resourceNamespace',
  'health.bindAddress',
  'metrics.bindAddress',
  'webhook.enabled',
  'webhook.server',
  'webhook.config.clientConfig',
];

const DURATION = String.raw`^-?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^0$`;

type Schema = z.core.JSONSchema.BaseSchema;

/** The JSON schema of the value `config` of the Helm chart: of what can be said there of the sharder's configuration. */
export function chartConfigSchema(): object {
  const { $schema: _, ...schema } = z.toJSONSchema(sharderConfig, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (valueKind.get(zodSchema)?.kind === 'duration') jsonSchema.pattern = DURATION;
    },
  });
  return setByTheChart.reduce<Schema>((rest, path) => without(rest, path.split('.')), schema);
}

/** Leaves out an object that has no property left. Throws when there is none such. */
function without(schema: Schema, [name = '', ...rest]: string[]): Schema {
  const { properties = {}, required = [], ...more } = schema;
  const property = properties[name];
  if (typeof property !== 'object') throw new Error(`there is no ${name}`);
  const inner = rest.length > 0 ? without(property, rest) : {};
  const isKept = Object.keys(inner.properties ?? {}).length > 0;
  const kept = Object.entries(properties).flatMap(([key, each]) => {
    if (key !== name) return [[key, each] as const];
    return isKept ? [[key, inner] as const] : [];
  });
  const stillRequired = required.filter((each) => each !== name);
  return {
    ...more,
    properties: Object.fromEntries(kept),
    ...(stillRequired.length > 0 && { required: stillRequired }),
  };
}
