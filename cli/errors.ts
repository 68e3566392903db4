/** A wrong call of the program (exit code 2); the message says what is accepted. */
export class UsageError extends Error {}

/** Input that cannot be used (exit code 1); the message names the file. */
export class InputError extends Error {}
