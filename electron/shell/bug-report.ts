/**
 * What is said of a bug: its kind and where in this program it happened. Never its message, which may
 * quote what a person typed, and never more than one line.
 */
export function describeBug(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frame = cause.stack
    ?.split('\n')
    .map((line) => /\(?([\w./ -]+?\/)?([\w.-]+\.(?:c?js|ts):\d+:\d+)\)?$/u.exec(line)?.[2])
    .find((found) => found !== undefined);
  return frame === undefined ? cause.name : `${cause.name} at ${frame}`;
}

export function reportBug(where: string, cause: unknown): void {
  process.stderr.write(
    `key-custodian: internal error in ${where}: ${typeof cause === 'string' ? cause : describeBug(cause)}\n`,
  );
}
