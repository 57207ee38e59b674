import { z } from 'zod';
import { absolutePathSchema, tokenLabelSchema } from './fields.ts';

/** The pkcs11 seal of Vault Enterprise and of OpenBao, which differ (FORMATS 3.5). */
export const pkcs11SealInputSchema = z.strictObject({
  recipe: z.literal('pkcs11-seal'),
  product: z.enum(['vault-enterprise', 'openbao']),
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
  offered: z.array(z.string().max(80)).max(200),
  /** The stanza goes in with disabled = "true": the way back to Shamir. */
  disabled: z.boolean(),
});

export type Pkcs11SealInput = z.infer<typeof pkcs11SealInputSchema>;
