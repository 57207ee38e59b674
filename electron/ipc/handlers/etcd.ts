import { success } from '../../workflows/failures.ts';
import type { ChosenFiles } from '../chosen-files.ts';
import type { Group, HandlerContext } from './context.ts';

const dialogs = { ca: 'ca-file', certificate: 'etcd-certificate', key: 'etcd-key' } as const;

export type EtcdHandlerParts = Pick<HandlerContext, 'desktop'> & {
  readonly core: { readonly kms: Pick<HandlerContext['core']['kms'], 'listResources'> };
  readonly clusters: Pick<HandlerContext['clusters'], 'pin'>;
  readonly chosenFiles: ChosenFiles;
};

/** The files are read by the cluster host, when a run needs them; here they are only named. */
export function createEtcdHandlers({ core, desktop, clusters, chosenFiles }: EtcdHandlerParts): Group<'etcd'> {
  return {
    async 'etcd.choose-file'({ part }) {
      const path = await desktop.chooseFile(dialogs[part]);
      if (path === undefined) return success({ path: '' });
      chosenFiles.remember(path);
      return success({ path });
    },
    async 'etcd.list-kinds'({ contextId }) {
      const pin = await clusters.pin(contextId);
      if (!pin.ok) return pin;
      const listed = await core.kms.listResources(pin.value);
      return listed.ok ? success({ kinds: [...listed.value] }) : listed;
    },
  };
}
