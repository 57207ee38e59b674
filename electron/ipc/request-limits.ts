/** Bounds on what a window may send, checked before a schema sees it: a hostile sender must not fill memory or time. */

/** Characters of all strings and keys together. The largest honest request is a plan with a PGP key for each share. */
const maximumCharacters = 4 * 1024 * 1024;
const maximumNodes = 20_000;
const maximumDepth = 12;
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** @returns why the request is refused, without quoting it, or undefined where it is within bounds */
export function measureRequest(request: unknown): string | undefined {
  let characters = 0;
  let nodes = 0;
  const visit = (value: unknown, depth: number): string | undefined => {
    nodes += 1;
    if (nodes > maximumNodes) return 'it has too many parts';
    if (depth > maximumDepth) return 'it is nested too deeply';
    if (typeof value === 'string') {
      characters += value.length;
      return characters > maximumCharacters ? 'it is too large' : undefined;
    }
    if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
      return undefined;
    if (typeof value !== 'object') return 'it holds a kind of value that is never sent';
    if (Array.isArray(value)) {
      if (value.length > maximumNodes) return 'it has too many parts';
      for (const element of value as readonly unknown[]) {
        const refused = visit(element, depth + 1);
        if (refused !== undefined) return refused;
      }
      return undefined;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return 'it holds a kind of value that is never sent';
    for (const [key, child] of Object.entries(value)) {
      if (refusedKeys.has(key)) return 'it has a field that is never sent';
      characters += key.length;
      if (characters > maximumCharacters) return 'it is too large';
      const refused = visit(child, depth + 1);
      if (refused !== undefined) return refused;
    }
    return undefined;
  };
  return visit(request, 0);
}
