/** What kinds of wrapping key pairs are made. Pure. */
import { z } from 'zod';

export const wrappingKeyBitsSchema = z.union([z.literal(2048), z.literal(3072), z.literal(4096)]);

/** Those that every crypto this runs on knows: a key of another curve could not wrap anything. */
export const wrappingCurveSchema = z.enum(['P-256', 'P-384', 'P-521']);

export const wrappingKeyKindSchema = z.union([wrappingKeyBitsSchema, wrappingCurveSchema]);

/** Bits of an RSA modulus, or the name of a curve. */
export type WrappingKeyKind = z.infer<typeof wrappingKeyKindSchema>;

export type WrappingCurve = z.infer<typeof wrappingCurveSchema>;

export const isCurve = (kind: WrappingKeyKind): kind is WrappingCurve => typeof kind === 'string';

/** How a plan says it: a curve goes before the length of an RSA key, which plans had before there were others. */
export const keyKindOf = (plan: {
  readonly modulusBits: z.infer<typeof wrappingKeyBitsSchema>;
  readonly curve?: WrappingCurve;
}): WrappingKeyKind => plan.curve ?? plan.modulusBits;

/** The other way round. */
export const planOfKeyKind = (
  kind: WrappingKeyKind,
): { readonly modulusBits: z.infer<typeof wrappingKeyBitsSchema>; readonly curve?: WrappingCurve } =>
  isCurve(kind) ? { modulusBits: 2048, curve: kind } : { modulusBits: kind };

/** 'RSA 2048', 'EC P-256' */
export const keyKindName = (kind: WrappingKeyKind): string => (isCurve(kind) ? `EC ${kind}` : `RSA ${kind.toString()}`);

/** What follows from a key of a curve. */
export const keyOfCurve =
  'Values are kept under it by ECDH, in a form of this program’s own: bank-vaults cannot read them, neither to unseal nor to configure.';
