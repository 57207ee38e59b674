import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { addCareOptions, carriesOut, commandGroup } from './care-command.ts';
import { addObjectOptions, deletesObject, objectShape } from './object-commands.ts';
import type { Registry } from './registry.ts';

/** A certificate has a few kB; a plan takes 65536 characters of base64. */
const largestFile = 48_000;

async function readSmallFile(path: string): Promise<Result<Buffer>> {
  try {
    const { size } = await stat(path);
    if (size > 0 && size <= largestFile) return success(await readFile(path));
    return failure(
      'Token_CertificateInvalid',
      `The file has ${String(size)} bytes: that is no certificate.`,
      'Name a file that holds one certificate in PEM or DER form.',
    );
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    return failure('Custody_ReadFailed', `The file cannot be read (${code}).`, 'Look at its name and permissions.', {
      code,
    });
  }
}

/** `custodian certificate store` and `certificate remove`. */
export function addCertificateCommands(program: Command, registry: Registry): void {
  const group = commandGroup(program, 'certificate', 'store and remove certificates on a token');
  const store = group
    .command('store')
    .description('store an X.509 certificate (PEM or DER) on a token and read it back')
    .option('--file <path>', 'the certificate');
  carriesOut({
    command: addCareOptions(addObjectOptions(store)),
    registry,
    shape: { ...objectShape, file: z.string().min(1, 'needs the path of a file').optional() },
    workflow: 'certificate-store',
    plan: async ({ common }, wish) => {
      if (wish.file === undefined || wish.objectLabel === undefined) {
        return failure(
          'App_BadRequest',
          'The certificate’s file and label are needed.',
          'Give --file PATH and --object-label LABEL; --id HEX where it belongs to a key.',
        );
      }
      const file = await readSmallFile(wish.file);
      if (!file.ok) return file;
      return success({
        workflow: 'certificate-store',
        ...common,
        certificateLabel: wish.objectLabel,
        id: wish.id ?? '',
        fileName: basename(wish.file),
        fileBase64: file.value.toString('base64'),
      });
    },
    summary: (facts) => `The token holds the certificate of ${String(facts['certificateSubject'] ?? '')}.`,
  });
  deletesObject(
    group.command('remove').description('delete a certificate from a token; its key stays'),
    registry,
    'certificate',
  );
}
