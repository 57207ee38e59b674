import { success } from '../../workflows/failures.ts';
import type { ChosenFiles } from '../chosen-files.ts';
import type { Group, HandlerContext } from './context.ts';

const dialogs = { ca: 'ca-file', certificate: 'etcd-certificate', key: 'etcd-key' } as const;

export type EtcdHandlerParts = Pick<HandlerContext, 'desktop'> & { readonly chosenFiles: ChosenFiles };

/** The files are read by the cluster host, when a run needs them; here they are only named. */
export function createEtcdHandlers({ desktop, chosenFiles }: EtcdHandlerParts): Group<'etcd'> {
  return {
    async 'etcd.choose-file'({ part }) {
      const path = await desktop.chooseFile(dialogs[part]);
      if (path === undefined) return success({ path: '' });
      chosenFiles.remember(path);
      return success({ path });
    },
  };
}
