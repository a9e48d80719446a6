/** The user asked for something that can't be: wrong flag, argument or configuration. Ends the process with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
  readonly exitCode = 2;
}
