/** A hex value in groups of four, as it is read aloud. */
export function inGroups(hex: string): string {
  return (hex.toUpperCase().match(/.{1,4}/gu) ?? []).join(' ');
}
