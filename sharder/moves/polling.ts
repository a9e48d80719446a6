const busyMs = 5_000;
const quietMs = 15_000;

/**
 * How often the objects of an informer are listed where watching is forbidden: those that wait for a shard or are on the
 * move are few, and somebody waits for them.
 */
export const pollingMs = (objects: number): number => (objects > 0 ? busyMs : quietMs);
