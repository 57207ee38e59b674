import { basename } from 'node:path';
import { success } from '../../workflows/failures.ts';
import type { Group, HandlerContext } from './context.ts';
import { readSmallFile } from './small-file.ts';

/** A public key with many user ids and signatures is some tens of kilobytes; the plan takes 100,000 characters. */
const maximumKeyBytes = 96 * 1024;
const maximumMessageBytes = 64 * 1024;

export function createPgpHandlers({ core, desktop }: HandlerContext): Group<'pgp'> {
  return {
    async 'pgp.choose-key'() {
      const path = await desktop.chooseFile('pgp-key');
      if (path === undefined) {
        return success({
          chosen: false,
          fingerprint: '',
          userId: '',
          algorithm: '',
          expires: '',
          publicKeyArmored: '',
        });
      }
      const file = await readSmallFile(path, maximumKeyBytes);
      if (!file.ok) return file;
      const described = await core.shares.describePgpKey(file.value);
      if (!described.ok) return described;
      const { fingerprint, userId, algorithm, expires, publicKeyArmored } = described.value;
      return success({ chosen: true, fingerprint, userId, algorithm, expires, publicKeyArmored });
    },
    async 'pgp.choose-message'() {
      const path = await desktop.chooseFile('pgp-message');
      if (path === undefined) return success({ chosen: false, fileName: '', messageBase64: '' });
      const file = await readSmallFile(path, maximumMessageBytes);
      if (!file.ok) return file;
      return success({
        chosen: true,
        fileName: basename(path),
        messageBase64: Buffer.from(file.value).toString('base64'),
      });
    },
  };
}
