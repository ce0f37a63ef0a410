/** A fault that the user can mend: printed as one message with its fix, without a stack trace. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}
