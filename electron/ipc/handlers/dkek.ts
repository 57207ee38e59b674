import { basename } from 'node:path';
import { failure, success } from '../../workflows/failures.ts';
import type { Group, HandlerContext } from './context.ts';
import { readSmallFile } from './small-file.ts';

/** sc-hsm-tool's share file: `Salted__`, 8 bytes of salt, 48 bytes of AES-256-CBC. */
const shareFileBytes = 64;
const shareFileStart = Buffer.from('Salted__', 'latin1');
/** More than a share file has, so that a wrong file is told by its content and not by its size alone. */
const maximumBytes = 64 * 1024;

export function createDkekHandlers({ desktop }: Pick<HandlerContext, 'desktop'>): Group<'dkek'> {
  return {
    async 'dkek.choose-share-file'() {
      const path = await desktop.chooseFile('dkek-share');
      if (path === undefined) return success({ chosen: false, fileName: '', fileBase64: '' });
      const file = await readSmallFile(path, maximumBytes);
      if (!file.ok) return file;
      const content = Buffer.from(file.value);
      if (content.length !== shareFileBytes || !content.subarray(0, shareFileStart.length).equals(shareFileStart)) {
        return failure(
          'Device_ShareFileInvalid',
          `${basename(path)} is not a DKEK share file: one has 64 bytes and begins with “Salted__”.`,
          'Choose the file that sc-hsm-tool or this app made when the DKEK share was created.',
          { bytes: content.length },
        );
      }
      return success({ chosen: true, fileName: basename(path), fileBase64: content.toString('base64') });
    },
  };
}
