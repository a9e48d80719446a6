import { UsageError } from './usage-error.ts';

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5, micro sign
  μs: 1e-3, // U+03BC, Greek mu
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const whole = new RegExp(`^(?:${part.source})+$`);

/**
 * A duration as Go writes it (`5m`, `1m30s`, `500ms`, `1.5h`, `0`), in milliseconds. Throws UsageError that names
 * `flag` for anything else, negative durations included.
 */
export function parseDuration(flag: string, text: string): number {
  if (text === '0') return 0;
  if (!whole.test(text)) {
    throw new UsageError(`${flag}: "${text}" is not a duration, write it like 500ms, 15s or 1m30s`);
  }
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(part)) ms += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return ms;
}
