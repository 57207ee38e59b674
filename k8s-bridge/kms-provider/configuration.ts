/** What config.json may say: this project's own fields and kleidi's (FORMATS 2.1 to 2.3; crypto11's for the token). */
import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** What kleidi calls its key, whichever token or engine keeps it. */
export const kleidiName = 'kleidi-kms-plugin';
/** Of its nonces in bytes, unless its file says otherwise (FORMATS 2.2). */
export const kleidiNonceLength = 16;

const absolutePath = z.string().refine(isAbsolute, 'needs an absolute path');
const socketAddress = z
  .string()
  .regex(/^(?:unix:\/\/)?\/[^\0]+$/u, 'needs unix:///PATH')
  .transform((address) => address.replace(/^unix:\/\//u, ''));
const loopbackAddress = z
  .string()
  .regex(/^(?:127\.0\.0\.1|\[::1\]|localhost):\d{1,5}$/u)
  .transform((address) => {
    const colon = address.lastIndexOf(':');
    return { host: address.slice(0, colon).replaceAll(/[[\]]/gu, ''), port: Number(address.slice(colon + 1)) };
  });
const numericId = z.union([z.int().min(0), z.string().regex(/^\d+$/u).transform(Number)], 'needs a number');
const label = z.string().min(1).max(255);

const sharedShape = {
  listen: socketAddress.default('/tmp/kleidi/kleidi-kms-plugin.socket'),
  /** '' for none. */
  health: z
    .union([z.literal('').transform(() => null), loopbackAddress], 'needs 127.0.0.1:PORT or [::1]:PORT, or "" for none')
    .default({ host: '127.0.0.1', port: 8085 }),
  socketOwner: numericId.optional(),
  socketGroup: numericId.optional(),
};

export const tokenSchema = z
  .object({
    ...sharedShape,
    provider: z.enum(['softhsm', 'pkcs11']).default('softhsm'),
    path: absolutePath,
    tokenLabel: label.optional(),
    tokenSerial: label.optional(),
    keyLabel: label.default(kleidiName),
    /** CKA_ID in hexadecimal; without it the highest of the label's ids writes. */
    keyId: z
      .string()
      .regex(/^(?:[0-9a-f]{2}){1,64}$/iu, 'needs pairs of hexadecimal digits')
      .transform((text) => text.toLowerCase())
      .optional(),
    /** Which kind writes where the label has several; without it AES, else the highest id of RSA and EC. */
    keyKind: z.enum(['aes', 'rsa', 'ec']).optional(),
    /** Further labels under which keys are kept to decrypt with. */
    oldKeyLabels: z.array(label).max(50).default([]),
    /** Bytes; kleidi reads it, for its nonces alone, with 0 and nothing for its library's 16 (crypto11, Config). */
    gcmIvLength: z
      .int()
      .min(0)
      .max(255)
      .default(0)
      .transform((length) => (length === 0 ? kleidiNonceLength : length)),
    /** kleidi's way: in the file itself. */
    pin: z.string().min(1).optional(),
    pinFile: absolutePath.optional(),
    pinFd: z.int().min(3).max(1023).optional(),
    /** A name in systemd's $CREDENTIALS_DIRECTORY. */
    pinCredential: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,255}$/u, 'needs the name of a credential')
      .optional(),
  })
  .superRefine((fields, context) => {
    const ways = [fields.pin, fields.pinFile, fields.pinFd, fields.pinCredential].filter((way) => way !== undefined);
    if (ways.length !== 1)
      context.addIssue({
        code: 'custom',
        path: ['pinFile'],
        message: 'needs one of pinFile, pinFd, pinCredential and pin',
      });
    if (fields.tokenLabel === undefined && fields.tokenSerial === undefined)
      context.addIssue({
        code: 'custom',
        path: ['tokenLabel'],
        message: 'needs tokenLabel or tokenSerial: slot numbers change',
      });
  });

export type TokenConfiguration = z.output<typeof tokenSchema>;

const vaultPath = z
  .string()
  .transform((path) => path.replaceAll(/^\/+|\/+$/gu, ''))
  .pipe(z.string().regex(/^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/u, 'needs a path in Vault'));
const vaultAddress = z.url({ protocol: /^https?$/u }).refine((text) => {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}, 'needs https: seeds would pass the network in the clear');

const authMounts = {
  k8s: 'kubernetes',
  kubernetes: 'kubernetes',
  cert: 'cert',
  approle: 'approle',
  jwt: 'jwt',
  token: '',
} as const;

/** kleidi's names for Transit, and beside them what only this provider reads. */
const transitFields = z
  .object({
    ...sharedShape,
    provider: z.literal('hvault').default('hvault'),
    address: vaultAddress,
    namespace: z.string().max(255).default(''),
    transitkey: vaultPath,
    transitpath: vaultPath.default('transit'),
    vaultrole: z.string().max(255).default(''),
    authmethod: z.enum(['k8s', 'kubernetes', 'cert', 'approle', 'jwt', 'token']).default('k8s'),
    authpath: z
      .string()
      .transform((path) => path.replace(/^\/?auth\//u, ''))
      .pipe(vaultPath)
      .optional(),
    caFile: absolutePath.optional(),
    /** The name in the server's certificate, where it is not the address's. */
    tlsServerName: z.string().min(1).max(255).optional(),
    tokenFile: absolutePath.optional(),
    clientCertificateFile: absolutePath.optional(),
    clientKeyFile: absolutePath.optional(),
    roleIdFile: absolutePath.optional(),
    secretIdFile: absolutePath.optional(),
  })
  .superRefine((fields, context) => {
    const needed = {
      k8s: [],
      kubernetes: [],
      cert: ['clientCertificateFile', 'clientKeyFile'],
      approle: ['roleIdFile', 'secretIdFile'],
      jwt: ['tokenFile'],
      token: ['tokenFile'],
    } as const;
    for (const name of needed[fields.authmethod])
      if (fields[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: `is needed to log in by ${fields.authmethod}` });
  });

/** Where the kubelet puts a Pod's token. */
const podTokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export const transitSchema = transitFields.transform(
  ({ transitkey, transitpath, vaultrole, authmethod, authpath, ...fields }) => ({
    ...fields,
    mount: transitpath,
    key: transitkey,
    role: vaultrole,
    authMethod: authmethod,
    authMount: authpath ?? authMounts[authmethod],
    tokenFile: fields.tokenFile ?? (authMounts[authmethod] === 'kubernetes' ? podTokenFile : undefined),
  }),
);
export type TransitConfiguration = z.output<typeof transitSchema>;
export type KmsConfiguration =
  ({ readonly kind: 'token' } & TokenConfiguration) | ({ readonly kind: 'transit' } & TransitConfiguration);

/** Every name that a field may have, by the name in lower case: Go's JSON, which kleidi reads with, minds no case. */
export const fieldNames = new Map(
  [...Object.keys(tokenSchema.shape), ...Object.keys(transitFields.shape)].map((name) => [name.toLowerCase(), name]),
);
