/** A wrong call of the program (exit code 2); the message says what is accepted. */
export class UsageError extends Error {}

/** What its user has to put right (exit code 1), such as input that cannot be used; the message names it. */
export class InputError extends Error {}
