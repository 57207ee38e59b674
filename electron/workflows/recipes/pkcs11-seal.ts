import { z } from 'zod';
import {
  absolutePathSchema,
  isSoftHsmModule,
  namespaceSchema,
  objectNameSchema,
  pinSecretSchema,
  rule,
  tokenLabelSchema,
} from './fields.ts';

/** The mechanism that a token must offer for a hash to be worth trying with RSA-OAEP. */
const digestOf = {
  sha1: 'CKM_SHA_1',
  sha224: 'CKM_SHA224',
  sha256: 'CKM_SHA256',
  sha384: 'CKM_SHA384',
  sha512: 'CKM_SHA512',
} as const;

/** The pkcs11 seal of Vault Enterprise and of OpenBao, which differ (FORMATS 3.5). */
export const pkcs11SealInputSchema = z
  .strictObject({
    recipe: z.literal('pkcs11-seal'),
    product: z.enum(['vault-enterprise', 'openbao']),
    /** Of the ConfigMap that holds the stanza, and of the Secret with the PIN. */
    namespace: namespaceSchema,
    configMap: objectNameSchema,
    pinSecret: pinSecretSchema,
    modulePath: absolutePathSchema,
    selectBy: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('label'), tokenLabel: tokenLabelSchema }),
      z.strictObject({ kind: z.literal('slot'), slotId: z.number().int().min(0).max(4_294_967_295) }),
    ]),
    keyLabel: tokenLabelSchema,
    /** Hex; '' for none. */
    keyId: z.string().regex(/^([0-9a-f]{2}){0,32}$/u, { message: 'Write the id in pairs of hexadecimal digits.' }),
    mechanism: z.enum(['CKM_AES_GCM', 'CKM_RSA_PKCS_OAEP', 'CKM_AES_CBC_PAD']),
    /** Only for RSA-OAEP. SoftHSM up to 2.6.1 does SHA-1 only. */
    oaepHash: z.enum(['sha1', 'sha224', 'sha256', 'sha384', 'sha512']),
    /** Vault Enterprise: the key for CBC's HMAC, and whether it makes the keys. */
    hmacKeyLabel: z.union([z.literal(''), tokenLabelSchema]),
    generateKey: z.boolean(),
    /** What the chosen token really offers, as the app read it; empty when no token was chosen. */
    offered: z.array(z.string().regex(/^[A-Za-z0-9_]{1,80}$/u)).max(200),
    /** The stanza goes in with disabled = "true": the way back to Shamir. */
    disabled: z.boolean(),
  })
  .superRefine(
    rule((input, complain) => {
      const openBao = input.product === 'openbao';
      if (openBao && input.mechanism === 'CKM_AES_CBC_PAD') {
        complain(['mechanism'], 'OpenBao’s seal knows AES-GCM and RSA-OAEP only.');
      }
      if (openBao && input.generateKey) {
        complain(['generateKey'], 'OpenBao makes no key: make it on the token first, then name it here.');
      }
      if (openBao && input.hmacKeyLabel !== '') {
        complain(['hmacKeyLabel'], 'OpenBao’s seal has no HMAC key.');
      }
      if (!openBao && input.mechanism === 'CKM_AES_CBC_PAD' && input.hmacKeyLabel === '') {
        complain(['hmacKeyLabel'], 'AES-CBC needs a second key for its HMAC.');
      }
      if (input.mechanism !== 'CKM_AES_CBC_PAD' && input.hmacKeyLabel !== '' && !openBao) {
        complain(['hmacKeyLabel'], 'Only AES-CBC uses an HMAC key: leave it out.');
      }
      if (input.offered.length > 0 && !input.offered.includes(input.mechanism)) {
        complain(['mechanism'], `The chosen token does not offer ${input.mechanism}.`);
      }
      if (input.mechanism === 'CKM_RSA_PKCS_OAEP') {
        if (isSoftHsmModule(input.modulePath) && input.oaepHash !== 'sha1') {
          complain(['oaepHash'], 'SoftHSM up to 2.6.1 does OAEP with SHA-1 only: choose sha1.');
        } else if (input.offered.length > 0 && !input.offered.includes(digestOf[input.oaepHash])) {
          complain(['oaepHash'], `The chosen token does not offer ${digestOf[input.oaepHash]}.`);
        }
      }
    }),
  );

export type Pkcs11SealInput = z.infer<typeof pkcs11SealInputSchema>;
