/**
 * The fields that recipes are made of. What Kubernetes refuses is refused here first, in the same words for every
 * recipe, so that nothing reaches a shell, a manifest or a command line that could mean something else there.
 */
import { z } from 'zod';

/** RFC 1123 label: names of namespaces, containers, keys of labels. */
export const dnsLabelSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/u, {
    message: 'Use small letters, digits and hyphens, with a letter or digit at both ends.',
  });

/** RFC 1123 subdomain: names of most objects. */
export const objectNameSchema = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/u, {
    message: 'Use small letters, digits, hyphens and dots, with a letter or digit at both ends of each part.',
  });

/** Namespaces are labels; a name of their own, since it is what a form's field is called. */
export const namespaceSchema = dnsLabelSchema.clone();

/** Keys of a Secret or ConfigMap (Kubernetes, IsConfigMapKey). */
export const dataKeySchema = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/u, {
    message: 'Use letters, digits, dots, hyphens and underscores, with a letter, digit or underscore first.',
  });

/** An absolute path inside a container or on a node, with nothing in it that a shell or YAML reads. */
export const absolutePathSchema = z
  .string()
  .min(2)
  .max(1024)
  .regex(/^(\/[A-Za-z0-9._@%+-]+)+$/u, { message: 'Write an absolute path of letters, digits and . _ @ % + -.' })
  .refine((path) => !path.split('/').includes('..'), { message: 'Leave out “..”.' });

/** registry/repository:tag or @sha256:digest (the grammar of github.com/distribution/reference, without its corners). */
export const imageSchema = z
  .string()
  .min(1)
  .max(512)
  .regex(
    /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/u,
    { message: 'Write an image as registry/name:tag or registry/name@sha256:digest.' },
  );

/** A PKCS#11 label as it is passed on in an argument of a container: no leading hyphen, nothing invisible. */
export const tokenLabelSchema = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[A-Za-z0-9_.]([A-Za-z0-9 _.:@/+-]*[A-Za-z0-9_.:@/+-])?$/u, {
    message: 'Use letters, digits, spaces and _ . : @ / + -, with a letter or digit first and no space last.',
  })
  // A label that reads like an option is a mistake, or worse, wherever it ends in an argument.
  .refine((label) => !label.includes('--'), { message: 'Leave out “--”.' });

/** Kubernetes quantity, as in 100m or 64Mi. */
export const quantitySchema = z
  .string()
  .max(20)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/u, { message: 'Write an amount as in 100m, 2 or 64Mi.' });

/** A Secret that a PIN is read from. `make`: the push makes it, and its value is typed at the push. */
export const pinSecretSchema = z.strictObject({ name: objectNameSchema, key: dataKeySchema, make: z.boolean() });

/** A mount, key, role or policy of Vault: segments that no path, shell or policy reads as anything else. */
export const vaultPathSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]*(\/[A-Za-z0-9_][A-Za-z0-9_-]*)*$/u, {
    message: 'Write a mount or a name: letters, digits, _ and -, in parts divided by /.',
  });

/** http or https, a host, perhaps a port and a path; no user, no query. */
export const vaultAddressSchema = z
  .string()
  .min(1)
  .max(2048)
  .regex(
    /^https?:\/\/([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*\/?$/u,
    {
      message: 'Write an address as in https://vault.example.org:8200.',
    },
  );

/** Where Debian's and Alpine's packages put the module (bank-vaults' image among them). */
export const softHsmModulePath = '/usr/lib/softhsm/libsofthsm2.so';
/** OpenSC in bank-vaults' image. */
export const openScModulePath = '/usr/lib/opensc-pkcs11.so';

/** SoftHSM answers to several names: libsofthsm.so, libsofthsm2.so, in a folder of its own or not. */
export const isSoftHsmModule = (modulePath: string): boolean => /softhsm/iu.test(modulePath);

/** What a rule over several fields calls for each fault; the path names the field that is to change. */
export type Complaint = (path: readonly (string | number)[], message: string) => void;

/** Turns a rule into zod's form. */
export const rule =
  <Input>(check: (input: Input, complain: Complaint) => void) =>
  (input: Input, context: z.RefinementCtx<Input>): void =>
    check(input, (path, message) => context.addIssue({ code: 'custom', path: [...path], message }));
