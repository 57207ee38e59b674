/** What is told over a page: how long it stays there, and what takes its place. */
import { beforeEach, expect, it } from 'vitest';
import { useAlerts } from '../../renderer/stores/alert-store.ts';
import { paths, useNavigation } from '../../renderer/stores/navigation-store.ts';

const sealed = { code: 'Vault_Sealed', message: 'Vault is sealed.', next: 'Unseal it.', details: {} } as const;
const { fail, say, dismiss } = useAlerts.getState();
const { go } = useNavigation.getState();
const told = (): readonly string[] =>
  useAlerts.getState().alerts.map((alert) => (alert.kind === 'failure' ? alert.failure.message : alert.words));

beforeEach(() => {
  go(paths.vaults);
  useAlerts.setState({ alerts: [] });
});

it('a failure that is told again takes its own place', () => {
  fail(sealed);
  fail({ ...sealed, message: 'Another Vault is sealed.' });
  fail(sealed);
  expect(told()).toEqual(['Another Vault is sealed.', 'Vault is sealed.']);
});

it('three are shown at most, the last ones', () => {
  for (const message of ['1', '2', '3', '4']) fail({ ...sealed, message });
  expect(told()).toEqual(['2', '3', '4']);
});

it('of confirmations only the last one stays', () => {
  say('Copied.');
  fail(sealed);
  say('Saved.');
  expect(told()).toEqual(['Vault is sealed.', 'Saved.']);
});

it('a failure goes with its page and not with a part of it; a confirmation goes along', () => {
  go(paths.cluster('prod'));
  fail(sealed);
  say('Saved.');
  go(paths.cluster('prod', 'pushes'));
  expect(told()).toEqual(['Vault is sealed.', 'Saved.']);
  go(paths.home);
  expect(told()).toEqual(['Saved.']);
  fail(sealed);
  go(paths.home);
  expect(told()).toEqual(['Saved.', 'Vault is sealed.']);
});

it('is gone when it is dismissed', () => {
  fail(sealed);
  const [alert] = useAlerts.getState().alerts;
  dismiss(alert?.id ?? 0);
  expect(told()).toEqual([]);
});
