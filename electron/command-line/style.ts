/** Colours of the terminal, or none: the words alone always say everything. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

function wrapper(enabled: boolean, open: number, close: number): (text: string) => string {
  return enabled ? (text) => `\u001b[${String(open)}m${text}\u001b[${String(close)}m` : (text) => text;
}

/** ECMA-48 SGR attributes when `enabled`, the bare text otherwise. */
export function createStyle(enabled: boolean): Style {
  return {
    bold: wrapper(enabled, 1, 22),
    dim: wrapper(enabled, 2, 22),
    red: wrapper(enabled, 31, 39),
    green: wrapper(enabled, 32, 39),
    yellow: wrapper(enabled, 33, 39),
    cyan: wrapper(enabled, 36, 39),
  };
}

/**
 * Whether a stream takes colours: only a terminal, and not when the person asked for none
 * (https://no-color.org) or the terminal can do none.
 */
export function takesColour(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}
