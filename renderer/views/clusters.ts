/** What is shown of clusters and of what was pushed to them: states worst first, in words, a shape and a tone. Pure. */
import type { AppView, ClusterContextView, PushView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';
import type { Mark } from './devices.ts';

const words = text.clusters.state;

/** One mark for a context: what keeps it from being used comes before what is known of it. */
export function markOfContext(context: ClusterContextView): Mark {
  if (context.fault !== '') return { tone: 'bad', shape: 'stop', words: words.faulty };
  if (context.insecure) return { tone: 'warn', shape: 'alert', words: words.insecure };
  if (!context.allowed) return { tone: 'warn', shape: 'notice', words: words['not-allowed'] };
  switch (context.state) {
    case 'looking':
      return { tone: 'mute', shape: 'loader', words: words.looking };
    case 'unknown':
      return { tone: 'mute', shape: 'dashed', words: words.unknown };
    case 'unreachable':
      return { tone: 'bad', shape: 'unplug', words: words.unreachable };
    case 'reachable':
      return context.withinSkew
        ? { tone: 'good', shape: 'check', words: words.reachable }
        : { tone: 'warn', shape: 'alert', words: words.skew };
  }
}

/** Whether a cluster may be asked at all: what is in its files is whole, and what it reaches for was allowed. */
export function canAsk(context: ClusterContextView): boolean {
  return context.fault === '' && context.allowed;
}

/** Whether something can be pushed there. */
export function canPush(context: ClusterContextView): boolean {
  return canAsk(context) && !context.insecure;
}

const waysIn = text.clusters.waysIn;
const isWayIn = (word: string): word is keyof typeof waysIn => Object.hasOwn(waysIn, word);

/** How one logs in, in words; what the kubeconfig lets one act as stands at its end, as it is. */
export function loginInWords(authentication: string): string {
  const [, ways = authentication, actsAs] = /^([a-z, -]*?)(?:, as (.*))?$/su.exec(authentication) ?? [];
  const known = ways.split(', ').map((way) => (isWayIn(way) ? waysIn[way] : way));
  return [...known, ...(actsAs === undefined ? [] : [text.clusters.actsAs(actsAs)])].join(', ');
}

export function pushesOf(view: AppView, context: ClusterContextView): readonly PushView[] {
  return view.pushes.filter((push) => push.context === context.context && push.server === context.server);
}

/** The context of a push, where it is still in a kubeconfig. */
export function contextOfPush(view: AppView, push: PushView): ClusterContextView | undefined {
  return view.clusters.contexts.find((context) => context.context === push.context && context.server === push.server);
}

const pushMarks = {
  'under-way': ['calm', 'dot'],
  pushed: ['good', 'check'],
  stopped: ['warn', 'alert'],
  undone: ['mute', 'none'],
} as const;

const driftMarks = {
  'not-checked': ['mute', 'dashed'],
  checking: ['mute', 'loader'],
  same: ['good', 'check'],
  drifted: ['warn', 'alert'],
  unknown: ['mute', 'unplug'],
} as const;

/** What to say of a push at a glance: how it ended where that is the news, else whether it drifted. */
export function markOfPush(push: PushView): Mark {
  if (push.state !== 'pushed') {
    const [tone, shape] = pushMarks[push.state];
    return { tone, shape, words: text.pushes.state[push.state] };
  }
  const [tone, shape] = driftMarks[push.drift.state];
  return { tone, shape, words: text.pushes.drift[push.drift.state] };
}

/** How many of its objects are no longer as they were pushed. */
export function differencesOf(push: PushView): number {
  return push.drift.objects.filter((object) => object.state === 'changed' || object.state === 'missing').length;
}

/** 'ConfigMap vault/vault-config' */
export function objectTitle(object: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}`;
}
