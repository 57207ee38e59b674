/** Looks class names up in a CSS module; false and undefined are left out. A name that is missing there is a bug. */
export function classesOf(
  module: Readonly<Record<string, string>>,
): (...names: readonly (string | false | undefined)[]) => string {
  return (...names) =>
    names
      .flatMap((name) => {
        if (name === false || name === undefined) return [];
        const found = module[name];
        if (found === undefined) throw new Error(`No class "${name}" in this module.`);
        return [found];
      })
      .join(' ');
}
