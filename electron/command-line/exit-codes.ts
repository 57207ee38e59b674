/** How the `custodian` command line ends. Documented in docs/operators.md. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** A failure with a code, or a journal that does not hold. */
  failure: 1,
  /** The command was written wrongly; nothing was tried. */
  usage: 2,
  /** Cancelled by the person: Ctrl-C, an ended terminal, SIGTERM. 128 + SIGINT, as shells do. */
  cancelled: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
