/** Effects on a SmartCard-HSM: its set-up, DKEK and keys under it. Each looks first whether it took place. */
import type { DeviceChoices, DkekSharePlan, TokenOfPlan } from './device-plans.ts';

export type DeviceEffect =
  /** Part of a token set-up, or of a drill: erases the device and sets all that the plan chose. */
  | {
      readonly kind: 'device.initialize';
      readonly device: TokenOfPlan;
      readonly label: string;
      readonly choices: DeviceChoices;
    }
  /** Makes a DKEK share file in the run's outbox: a password typed by its custodian, or split. */
  | {
      readonly kind: 'dkek.create-share';
      readonly device: TokenOfPlan;
      readonly index: number;
      readonly share: DkekSharePlan;
    }
  /** One piece of a split password to one custodian, who types it back; the last one ends the split. */
  | {
      readonly kind: 'dkek.hand-out-piece';
      readonly device: TokenOfPlan;
      readonly shareIndex: number;
      readonly pieceIndex: number;
      readonly threshold: number;
      readonly custodians: readonly string[];
    }
  /** Opens a share file with its custodians and imports it; the last one brings the key check value. */
  | {
      readonly kind: 'dkek.import-share';
      readonly device: TokenOfPlan;
      readonly index: number;
      readonly count: number;
      readonly share: DkekSharePlan;
      /** '' where any will do, and where this is not the last share. */
      readonly expectedKeyCheckValue: string;
    }
  /** Opens every share file with its custodians and compares what they give, before the device is erased. */
  | {
      readonly kind: 'dkek.open-shares';
      readonly device: TokenOfPlan;
      readonly shares: readonly DkekSharePlan[];
    }
  | { readonly kind: 'device.attest'; readonly token: TokenOfPlan }
  /** Key check values of both devices must agree before anything is wrapped; of one, it is recorded. */
  | {
      readonly kind: 'device.compare-dkek';
      readonly one: TokenOfPlan;
      readonly other: TokenOfPlan;
      /** Of a device whose DKEK is to come back from share files; '' for any. */
      readonly expectedKeyCheckValue: string;
    }
  /** Encrypts a random value under a key, sees the device decrypt it, and leaves the ciphertext in the run's outbox. */
  | {
      readonly kind: 'device.make-test';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly fileName: string;
    }
  /** Wraps one key into the run's outbox. */
  | {
      readonly kind: 'device.wrap-key';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly fileName: string;
    }
  /** Unwraps it from there on a device with the same DKEK; found done where the same public key is there already. */
  | {
      readonly kind: 'device.unwrap-key';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly fileName: string;
    }
  /** Both devices decrypt the test ciphertext that was made before. */
  | {
      readonly kind: 'device.compare-keys';
      readonly one: TokenOfPlan;
      readonly other: TokenOfPlan;
      readonly keyLabel: string;
      readonly fileName: string;
    }
  /** Every key, certificate and data object of one device to the other, each journalled. */
  | { readonly kind: 'device.copy-objects'; readonly from: TokenOfPlan; readonly to: TokenOfPlan }
  /** All that is on one device is on the other, and every key there works. */
  | { readonly kind: 'device.verify-copy'; readonly from: TokenOfPlan; readonly to: TokenOfPlan };
