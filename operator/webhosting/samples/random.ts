/** Numbers from 0 to 1 that look random, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Picks places of a list so that few are picked often and most are picked seldom: the share of place n is about 1/n. */
export function skewedPick(count: number, random: () => number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let place = 1; place <= count; place += 1) sums.push((sum += 1 / place));
  return () => {
    const point = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? sum) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
