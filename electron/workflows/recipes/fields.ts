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

export const namespaceSchema = dnsLabelSchema;

/** Keys of a Secret or ConfigMap (Kubernetes, IsConfigMapKey). */
export const dataKeySchema = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/u, { message: 'Use letters, digits, dots, hyphens and underscores.' });

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
  .regex(/^[A-Za-z0-9_.][A-Za-z0-9 _.:@/+-]*$/u, {
    message: 'Use letters, digits, spaces and _ . : @ / + -, with a letter or digit first.',
  });

/** Kubernetes quantity, as in 100m or 64Mi. */
export const quantitySchema = z
  .string()
  .max(20)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/u, { message: 'Write an amount as in 100m, 2 or 64Mi.' });

/** Whether a module path is one of SoftHSM's. */
export const softHsmModulePath = '/usr/lib/softhsm/libsofthsm2.so';
export const openScModulePath = '/usr/lib/opensc-pkcs11.so';
