/** Compiles what makes the virtual readers of a pcscd as quick as real ones; the path is '' where there is no compiler. */
export function compileNoDelay(): Promise<{ readonly path: string; remove(): Promise<void> }>;
