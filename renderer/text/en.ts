/** Every word the windows show that does not come from the core. One catalogue, ready for other languages. */
import { clusters, diff, pushes } from './clusters.ts';
import { devices, token } from './devices.ts';
import { glossary } from './glossary.ts';
import { home } from './home.ts';
import { plans } from './plans.ts';
import { recipes } from './recipes.ts';
import { journal, runs } from './runs.ts';
import { settings } from './settings.ts';
import { app, band, common, locked, navigation } from './shell.ts';
import { states } from './states.ts';
import { tokens } from './tokens.ts';
import { kmsStatus } from './kms-status.ts';
import { encryption } from './vault-setup-plans.ts';
import { vaults } from './vaults.ts';

export const text = {
  app,
  navigation,
  glossary,
  states,
  common,
  home,
  band,
  tokens,
  devices,
  token,
  vaults,
  clusters,
  pushes,
  recipes,
  diff,
  plans,
  runs,
  encryption,
  kmsStatus,
  journal,
  settings,
  locked,
} as const;

export type GlossaryTerm = keyof typeof text.glossary;
