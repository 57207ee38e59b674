/** What a preview says, ordered for a person: what is in the way first. Pure. */
import type { ChannelReply } from '../../electron/contract/channels.ts';
import { text } from '../text/en.ts';
import type { Mark } from './devices.ts';

export type PreviewReply = ChannelReply<'recipes.preview'>;
export type PreviewObject = PreviewReply['preview']['objects'][number];

const words = text.recipes.show;

const order = ['refused', 'changed', 'new', 'same'] as const;
const marks = {
  refused: ['bad', 'stop'],
  changed: ['calm', 'dot'],
  new: ['good', 'check'],
  same: ['mute', 'none'],
} as const;

export function markOfChange(change: PreviewObject['change']): Mark {
  const [tone, shape] = marks[change];
  return { tone, shape, words: words.change[change] };
}

/** Refused ones first, unchanged ones last; else in the order in which they are pushed. */
export function inOrder(objects: readonly PreviewObject[]): readonly PreviewObject[] {
  return [...objects].sort((one, other) => order.indexOf(one.change) - order.indexOf(other.change));
}

/** '2 new, 1 changed' */
export function countsInWords(objects: readonly PreviewObject[]): string {
  return order
    .map((change) => [objects.filter((object) => object.change === change).length, words.count[change]] as const)
    .filter(([count]) => count > 0)
    .map(([count, said]) => `${String(count)} ${said}`)
    .join(', ');
}

/** What may not be done, one line for each kind of object and namespace. */
export function missingByKind({ preview }: PreviewReply): readonly {
  readonly resource: string;
  readonly namespace: string;
  readonly verbs: readonly string[];
}[] {
  const kinds = new Map<string, { resource: string; namespace: string; verbs: string[] }>();
  for (const { need } of preview.missingRights) {
    const { group, resource, subresource, namespace, verb } = need;
    const name = `${resource}${subresource === '' ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
    const found = kinds.get(`${name} ${namespace}`) ?? { resource: name, namespace, verbs: [] };
    if (!found.verbs.includes(verb)) found.verbs.push(verb);
    kinds.set(`${name} ${namespace}`, found);
  }
  return [...kinds.values()];
}

/** Fields of others, by their manager. */
export function conflictsByManager(
  object: PreviewObject,
): readonly { readonly manager: string; readonly operation: string; readonly fields: readonly string[] }[] {
  const managers = new Map<string, { manager: string; operation: string; fields: string[] }>();
  for (const { manager, operation, field } of object.conflicts) {
    const found = managers.get(`${manager} ${operation}`) ?? { manager, operation, fields: [] };
    found.fields.push(field);
    managers.set(`${manager} ${operation}`, found);
  }
  return [...managers.values()];
}

export function conflictCount({ preview }: PreviewReply): number {
  return preview.objects.reduce((count, object) => count + object.conflicts.length, 0);
}

/** What keeps this preview from being pushed, in words; empty where nothing does. */
export function obstaclesOf(reply: PreviewReply, takesOver: boolean): readonly string[] {
  const { preview } = reply;
  const { blocked } = words;
  return [
    ...(preview.missingRights.length > 0 ? [blocked.rights] : []),
    ...(preview.missingKinds.length > 0 ? [blocked.kinds] : []),
    ...(preview.objects.some((object) => object.change === 'refused') ? [blocked.refused] : []),
    ...(conflictCount(reply) > 0 && !takesOver ? [blocked.conflicts] : []),
    ...(preview.objects.length === 0 ? [blocked.nothing] : []),
  ];
}
