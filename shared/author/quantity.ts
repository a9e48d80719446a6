const factors: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity of Kubernetes means (`500m`, `1Gi`, `2`); undefined when it isn't one. */
export function parseQuantity(value: unknown): number | undefined {
  const [, digits, suffix] = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)(.*)$/.exec(String(value)) ?? [];
  const factor = suffix === undefined ? undefined : factors[suffix];
  const number = Number(digits);
  if (factor === undefined || Number.isNaN(number)) return undefined;
  // The product of decimal fractions isn't exact.
  return Number((number * factor).toPrecision(12));
}
