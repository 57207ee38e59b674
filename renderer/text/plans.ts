/** What all plan pages share, and each one's own words. */
import { deviceSetup, tokenActs } from './device-plans.ts';
import { secretChoice, secretStore } from './secret-plans.ts';
import { tokenSetup } from './token-setup-plan.ts';
import { unseal, vaultInit } from './vault-plans.ts';
import { kmsVerify, sealMigration, transitSetup } from './vault-setup-plans.ts';

export const plans = {
  summary: 'What will happen',
  start: 'Start',
  startNote: 'Starting writes the plan to the journal. Nothing is changed before the first step’s button.',
  errors: 'Still to be put right',
  tokenSetup,
  deviceSetup,
  ...tokenActs,
  vaultInit,
  unseal,
  secretChoice,
  secretStore,
  sealMigration,
  transitSetup,
  kmsVerify,
} as const;
