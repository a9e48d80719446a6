/** All objects are listed after changes, and this often: what is where changes without any change of the shards, too. */
export const fullListMs = 3_600_000;
/** What can't be done (somebody refuses it) is not tried all the time, when each try lists everything. */
export const longestAgainMs = 60_000;
