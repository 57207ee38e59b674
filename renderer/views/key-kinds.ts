/** Kinds of wrapping keys as the screens choose and show them. Pure. */
import type { WrappingKeyView } from '../../electron/contract/views.ts';
import type { WrappingKeyKind } from '../../electron/workflows/key-kinds.ts';
import type { TokenSetupPlan } from '../../electron/workflows/plans.ts';

/** In the order in which they are offered: RSA first, which alone bank-vaults reads. */
export const keyKinds = [2048, 3072, 4096, 'P-256', 'P-384', 'P-521'] as const satisfies readonly WrappingKeyKind[];

export const isCurve = (kind: WrappingKeyKind): boolean => typeof kind === 'string';

/** 'RSA 2048', 'EC P-256' */
export const keyKindName = (kind: WrappingKeyKind): string => `${isCurve(kind) ? 'EC' : 'RSA'} ${String(kind)}`;

/** The same of a key that is there. */
export const kindOfKey = ({ curve, modulusBits }: Pick<WrappingKeyView, 'curve' | 'modulusBits'>): string =>
  curve === '' ? `RSA ${String(modulusBits)}` : `EC ${curve}`;

/** The choice as a plan says it. */
export const planOfKeyKind = (kind: WrappingKeyKind): Pick<TokenSetupPlan, 'modulusBits' | 'curve'> =>
  typeof kind === 'string' ? { modulusBits: 2048, curve: kind } : { modulusBits: kind };

/** A choice from a list of texts. */
export const keyKindOfText = (text: string): WrappingKeyKind => keyKinds.find((kind) => String(kind) === text) ?? 2048;
