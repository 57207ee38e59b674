/** HCL as Vault and OpenBao read it: blocks of quoted texts. */

/** One line of a block: a name and its value, with a word on why above it where `why` is set. */
export interface HclLine {
  readonly name: string;
  readonly value: string | boolean;
  readonly why?: string;
}

/** Quoted so that nothing in it is read as a template or an escape. */
export function hclText(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('${', '$${').replaceAll('%{', '%%{')}"`;
}

/** @param opening `seal "pkcs11"` */
export function hclBlock(opening: string, lines: readonly HclLine[]): string {
  const width = Math.max(0, ...lines.map((line) => line.name.length));
  const text = lines.map(({ name, value, why }) => {
    const written = typeof value === 'boolean' ? String(value) : hclText(value);
    return `${why === undefined ? '' : `  # ${why}\n`}  ${name.padEnd(width)} = ${written}\n`;
  });
  return `${opening} {\n${text.join('')}}\n`;
}
