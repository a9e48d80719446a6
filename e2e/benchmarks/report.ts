import type { BenchmarkResult, CheckedBound } from './benchmark.ts';

/** For people: a line per figure, with its bounds; a bound without a figure has a line, too. */
export function table({ bounds, figures }: BenchmarkResult): string {
  const names = new Set([...Object.keys(figures), ...bounds.map(({ figure }) => figure)]);
  const rows = [['figure', 'value', 'unit', 'bound', 'ok']];
  for (const name of names) {
    const figure = figures[name];
    const own = bounds.filter((bound) => bound.figure === name);
    rows.push([
      name,
      figure ? shortNumber(figure.value) : '–',
      figure?.unit ?? '',
      own.map(boundText).join(', '),
      own.length === 0 ? '' : own.every(({ ok }) => ok) ? 'yes' : 'NO',
    ]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0, column === 1))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** For programs: one line. */
export const jsonLine = ({ name, pass, bounds, figures }: BenchmarkResult): string =>
  JSON.stringify({ name, pass, bounds, figures });

const pad = (text: string, width: number, right: boolean): string =>
  right ? text.padStart(width) : text.padEnd(width);

const boundText = (bound: CheckedBound): string =>
  'atMost' in bound ? `≤ ${shortNumber(bound.atMost)}` : `≥ ${shortNumber(bound.atLeast)}`;

/** Four significant digits are more than a benchmark can promise; whole numbers are kept whole. */
const shortNumber = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
