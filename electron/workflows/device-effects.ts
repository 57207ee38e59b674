/** Effects on a SmartCard-HSM: its set-up, DKEK and keys under it. Each looks first whether it took place. */
import type { DeviceChoices, DkekSharePlan, TokenOfPlan } from './device-plans.ts';

export type DeviceEffect =
  /** Part of a token set-up: erases the device and sets all that the plan chose. */
  | {
      readonly kind: 'device.initialize';
      readonly storeId: string;
      readonly serial: string;
      readonly label: string;
      readonly choices: DeviceChoices;
    }
  /** Makes a DKEK share file in the run's outbox: a password typed by its custodian, or split. */
  | {
      readonly kind: 'dkek.create-share';
      readonly storeId: string;
      readonly serial: string;
      readonly index: number;
      readonly share: DkekSharePlan;
    }
  /** One piece of a split password to one custodian, who types it back. */
  | {
      readonly kind: 'dkek.hand-out-piece';
      readonly storeId: string;
      readonly serial: string;
      readonly shareIndex: number;
      readonly pieceIndex: number;
      readonly custodian: string;
    }
  /** Opens a share file with its custodians and imports it; the last one brings the key check value. */
  | {
      readonly kind: 'dkek.import-share';
      readonly storeId: string;
      readonly serial: string;
      readonly index: number;
      readonly count: number;
      readonly share: DkekSharePlan;
      readonly expectedKeyCheckValue: string;
    }
  | { readonly kind: 'device.attest'; readonly token: TokenOfPlan }
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
  /** Both devices decrypt the same random test ciphertext. */
  | {
      readonly kind: 'device.compare-keys';
      readonly one: TokenOfPlan;
      readonly other: TokenOfPlan;
      readonly keyLabel: string;
    }
  /** Key check values of both devices must agree before anything is wrapped. */
  | { readonly kind: 'device.compare-dkek'; readonly one: TokenOfPlan; readonly other: TokenOfPlan }
  /** Every key and data object of one device to the other, each journalled. */
  | { readonly kind: 'device.copy-objects'; readonly from: TokenOfPlan; readonly to: TokenOfPlan };
