import { success } from '../../workflows/failures.ts';
import { needsOf } from '../../workflows/recipe-rights.ts';
import { outsidePartId } from '../views/cluster-view.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';

export type ClusterHandlerParts = Pick<HandlerContext, 'clusters' | 'changed'> & {
  readonly core: {
    readonly clusters: Pick<
      HandlerContext['core']['clusters'],
      'allow' | 'checkRights' | 'defaults' | 'listNames' | 'render'
    >;
  };
};

export function createClusterHandlers({ core, clusters, changed }: ClusterHandlerParts): Group<'clusters'> {
  return {
    async 'clusters.refresh'() {
      await clusters.refresh();
      return success({});
    },
    'clusters.probe': ({ contextId }) => clusters.probe(contextId),
    async 'clusters.allow'({ contextId, partId }) {
      const { contexts } = clusters;
      const context = contexts?.ok === true ? contexts.value.find(({ id }) => id === contextId) : undefined;
      const part = context?.outside.find((each) => outsidePartId(contextId, each) === partId);
      // Listed anew since: a program that has changed has another id, and is shown before it is allowed.
      if (part === undefined) return notFound('This program or file');
      const allowed = await core.clusters.allow([part]);
      changed();
      return allowed.ok ? success({}) : allowed;
    },
    async 'clusters.rights'({ contextId, recipe }) {
      const rendered = core.clusters.render(core.clusters.defaults(recipe));
      if (!rendered.ok) return success({ rights: [] });
      const pin = await clusters.pin(contextId);
      if (!pin.ok) return pin;
      const answers = await core.clusters.checkRights(pin.value, needsOf(rendered.rendered.content));
      return answers.ok ? success({ rights: [...answers.value] }) : answers;
    },
    async 'clusters.list-names'({ contextId, kind, namespace, continueFrom }) {
      const pin = await clusters.pin(contextId);
      if (!pin.ok) return pin;
      const page = await core.clusters.listNames(pin.value, { kind, namespace, continueFrom });
      if (!page.ok) return page;
      return success({
        names: page.value.names.map((each) => ({ namespace: each.namespace, name: each.name })),
        continueFrom: page.value.continueFrom,
        remaining: page.value.remaining,
      });
    },
    async 'clusters.pin'({ contextId }) {
      const pin = await clusters.pin(contextId);
      return pin.ok ? success({ cluster: pin.value }) : pin;
    },
  };
}
