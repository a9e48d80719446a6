/**
 * Keeps glibc from holding back what was freed: one arena for all threads (V8's leave up to 15 MB behind in theirs), and
 * large buffers mapped each for itself, by a bound that doesn't grow with their size.
 */
export const memoryEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
