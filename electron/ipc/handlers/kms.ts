import { readKmsStatus } from '../../core/kms-status.ts';
import { success } from '../../workflows/failures.ts';
import { checkEtcdFiles, type ChosenFiles } from '../chosen-files.ts';
import type { Group, HandlerContext } from './context.ts';

export interface KmsHandlerParts {
  readonly core: { readonly kms: Pick<HandlerContext['core']['kms'], 'countStored' | 'readApiServers'> };
  readonly clusters: Pick<HandlerContext['clusters'], 'pin'>;
  readonly chosenFiles: Pick<ChosenFiles, 'has'>;
}

export function createKmsHandlers({ core, clusters, chosenFiles }: KmsHandlerParts): Group<'kms'> {
  return {
    async 'kms.status'({ contextId, etcd, resources }) {
      const refused = etcd === '' ? undefined : checkEtcdFiles(etcd, chosenFiles);
      if (refused !== undefined) return { ok: false, error: refused };
      const pin = await clusters.pin(contextId);
      if (!pin.ok) return pin;
      const status = await readKmsStatus(core.kms, {
        cluster: pin.value,
        etcd: etcd === '' ? undefined : etcd,
        resources,
      });
      if (!status.ok) return status;
      const { plugins, complete, counted, notCounted } = status.value;
      return success({
        plugins: plugins.map(({ provider, servers, converged, keys }) => ({
          provider,
          servers: [...servers],
          converged,
          keys: [...keys],
        })),
        complete,
        counted: [...counted],
        notCounted: [...notCounted],
      });
    },
  };
}
