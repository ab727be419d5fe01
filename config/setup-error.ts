/** Something about the machine or the settings that whoever starts Perennial can mend. The message is one line: what is wrong, and how to mend it. */
export class SetupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message.replace(/\s*\n\s*/g, ' '), options);
    this.name = 'SetupError';
  }
}

/** The reason in one line, for messages that name what to mend. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ').trim() || 'no reason given';
}

/** What stands on the screen when a process cannot go on: the lines of a SetupError or of wrong settings as they are, a bug with its stack. */
export function describeFatal(error: unknown): string {
  if (error instanceof SetupError || error instanceof WrongSettings) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One line per setting that is missing or wrong: name, what, how to mend. */
export class WrongSettings extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'WrongSettings';
    this.lines = lines;
  }
}

/** The frame of every `main.ts`: what makes it impossible to start is said in one line, and the exit code is 1. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${describeFatal(error)}\n`);
    process.exit(1);
  }
}
