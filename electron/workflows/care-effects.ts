/** Effects on a token that is in use: PINs, objects, keys, and bank-vaults' values. Each looks first whether it took place. */
import type { ObjectDeletePlan, PinChangePlan, TokenOfPlan } from './device-plans.ts';
import type { WrappingKeyKind } from './key-kinds.ts';

export type CareEffect =
  | {
      readonly kind: 'token.change-pin';
      readonly token: TokenOfPlan;
      readonly act: PinChangePlan['act'];
      readonly smartCardHsm: boolean;
    }
  | {
      readonly kind: 'token.reset';
      readonly token: TokenOfPlan;
      readonly slotId: number;
      readonly smartCardHsm: boolean;
    }
  | { readonly kind: 'object.delete'; readonly token: TokenOfPlan; readonly object: ObjectDeletePlan['object'] }
  | {
      readonly kind: 'certificate.store';
      readonly token: TokenOfPlan;
      readonly label: string;
      readonly id: string;
      readonly certificateBase64: string;
    }
  | { readonly kind: 'key.test'; readonly token: TokenOfPlan; readonly label: string; readonly id: string }
  | {
      readonly kind: 'value.check';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly label: string;
    }
  /** Of several objects under one label, keeps one that decrypts; the ciphertexts are on disk before one is deleted. */
  | {
      readonly kind: 'value.resolve-double';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly label: string;
    }
  | {
      readonly kind: 'value.read-out';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly label: string;
      readonly custodian: string;
    }
  /** The key that values are encrypted under from now on: found on the token, or made. */
  | {
      readonly kind: 'values.ensure-key';
      readonly token: TokenOfPlan;
      readonly fromKeyLabel: string;
      readonly keyLabel: string;
      readonly keyKind: WrappingKeyKind;
    }
  /** All values under the new key, in the run's escrow on disk, before the token is changed. */
  | {
      readonly kind: 'values.rewrap-to-escrow';
      readonly token: TokenOfPlan;
      readonly fromKeyLabel: string;
      readonly toKeyLabel: string;
      readonly labels: readonly string[];
    }
  /** Replaces one value on the token by its new ciphertext, reads it back and tries it. */
  | {
      readonly kind: 'value.replace';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly label: string;
    }
  /** Deletes a key pair once every value is seen to decrypt with the new one, and none is left that needs it. */
  | {
      readonly kind: 'values.remove-old-key';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly toKeyLabel: string;
      readonly labels: readonly string[];
    };
