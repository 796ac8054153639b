// An error that a user can act on: its message says what was attempted, what came back, and the remedy.
// Everything else that is thrown is a network error to retry, or a defect of the launcher.

export class Failure extends Error {}
