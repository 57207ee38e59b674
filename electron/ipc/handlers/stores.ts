import { randomUUID } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { failure, success } from '../../workflows/failures.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';

export function createStoreHandlers({ core, desktop, tokens, changed }: HandlerContext): Group<'stores'> {
  return {
    async 'stores.choose-module'() {
      return success({ path: (await desktop.chooseFile('pkcs11-module')) ?? '' });
    },
    async 'stores.add'({ name, modulePath }) {
      if (!isAbsolute(modulePath)) {
        return failure(
          'Token_ModuleMissing',
          'The path of the module is not absolute.',
          'Give the whole path of the PKCS#11 library, such as /usr/lib/softhsm/libsofthsm2.so.',
        );
      }
      if (core.stores().some((store) => store.modulePath === modulePath && !store.rehearsal)) {
        return failure(
          'App_BadRequest',
          'That module is in the list already.',
          'Use the store that is there, or remove it first.',
          { modulePath },
        );
      }
      const id = `module-${randomUUID()}`;
      const kept = await core.settings.addModule({ id, name, modulePath });
      if (!kept.ok) return kept;
      // The module is loaded in a host of its own: a library that is none, crashes or hangs ends that host alone.
      const greeting = await core.tokens.sealingPublicKey(id);
      if (!greeting.ok) {
        const removed = await core.settings.removeModule(id);
        changed();
        return removed.ok ? greeting : removed;
      }
      await tokens.refresh();
      changed();
      return success({ storeId: id });
    },
    async 'stores.remove'({ storeId }) {
      if (!core.settings.modules.some((module) => module.id === storeId)) return notFound('The token store');
      const removed = await core.settings.removeModule(storeId);
      if (!removed.ok) return removed;
      await tokens.refresh();
      changed();
      return success({});
    },
  };
}
