/** YAML for people and for kubectl's readers, which keep to YAML 1.1: what either version would read otherwise is quoted. */
import { Document, Scalar, visit } from 'yaml';
import type { Json } from '../../electron/workflows/cluster-ports.ts';

/** Said above a key: the path of keys and indexes to it, and the words. */
export type YamlComment = readonly [path: readonly (string | number)[], text: string];

const comment = (text: string): string =>
  text
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n');

/** Reads as nothing but a text in every version of YAML. */
const isPlainText = (text: string): boolean => /^[A-Za-z/][A-Za-z0-9/_.-]*$/u.test(text);

function keyNode(
  document: Document,
  path: readonly (string | number)[],
): { commentBefore?: string | null } | undefined {
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) return;
  if (typeof last === 'number') return (parent.items as { commentBefore?: string | null }[])[last];
  const pairs = parent.items as { key: { value?: unknown; commentBefore?: string | null } }[];
  return pairs.find((pair) => pair.key.value === last)?.key;
}

/**
 * @param value what the document holds
 * @param options.header said at its top, without the `#`
 * @param options.comments said above single keys
 */
export function toYaml(
  value: Json,
  options: { readonly header?: string; readonly comments?: readonly YamlComment[] } = {},
): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value !== 'string') return;
      if (node.value.includes('\n')) node.type = Scalar.BLOCK_LITERAL;
      else if (!isPlainText(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
    // Keys as people write them: nitrokey.com/hsm, ca.crt; anything odd is quoted by the rule above.
  });
  for (const [path, text] of options.comments ?? []) {
    const node = keyNode(document, path);
    if (node !== undefined) node.commentBefore = comment(text);
  }
  if (options.header !== undefined) document.commentBefore = comment(options.header);
  return document.toString({ lineWidth: 0 });
}
