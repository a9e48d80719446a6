import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import type { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';

/** What there is of an object on the page. */
export interface MetricRow {
  /** The labels that all its samples have, by `labelText`. */
  identity: string;
}

export interface Sample {
  /** Beside those of its object. */
  labels?: Labels;
  value: number;
}

/** A gauge with the samples of many objects. */
export interface Family<Row extends MetricRow> {
  name: string;
  help: string;
  samples(row: Row): Sample[];
}

const needsEscape = /[\\"\n]/;
const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

const escaped = (value: string): string =>
  needsEscape.test(value) ? value.replace(/[\\"\n]/g, (character) => escapes[character] ?? '') : value;

/** Labels in the text format of Prometheus: `name="value",other="value"`. Whatever the values are, they end nothing. */
export const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

/** Characters after which a part of the text is passed on. */
const partLength = 64 * 1024;

/**
 * The text of metrics, in parts, family by family as the format wants it. Between two objects it lets others have the
 * event loop when the slice is over; whoever reads slowly is waited for.
 */
export async function* metricsText<Row extends MetricRow>(
  families: readonly Family<Row>[],
  rows: readonly Row[],
  slice: Slice,
): AsyncGenerator<string> {
  let text = '';
  for (const { name, help, samples } of families) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
    for (const row of rows) {
      for (const { labels, value } of samples(row)) {
        text += `${name}{${row.identity}${labels ? `,${labelText(labels)}` : ''}} ${value}\n`;
      }
      if (text.length >= partLength) {
        yield text;
        text = '';
      }
      if (slice.isOver) await slice.maybeYield();
    }
  }
  if (text !== '') yield text;
}
