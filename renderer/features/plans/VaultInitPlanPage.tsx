import { useState, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Choices, LineField, Picker, Stepper } from '../../ui/Fields.tsx';
import { Actions, Card, Note } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { kindOfKey } from '../../views/key-kinds.ts';
import { PgpKeyChoice } from './PgpKeyChoice.tsx';
import { PlanLayout } from './PlanLayout.tsx';
import { SecretChoice } from './SecretChoice.tsx';
import { ShareDestinations } from './ShareDestinations.tsx';
import { tokenKey } from './token-setup-form.ts';
import { useInspection } from './use-inspection.ts';
import { VaultChoice } from './VaultChoice.tsx';
import {
  checkVaultInit,
  effectiveKeyLabel,
  pickToken,
  usesSecret,
  vaultInitFormFor,
  type VaultInitForm,
} from './vault-init-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.vaultInit;

export function VaultInitPlanPage({ view, vaultId }: { readonly view: AppView; readonly vaultId: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [decided, setDecided] = useState<VaultInitForm>();
  const form = vaultInitFormFor(view, vaultId, decided);
  // Settled once both are there, so that later changes to the lists never swap them.
  if (form.vaultId !== '' && form.token !== '' && form !== decided) setDecided(form);
  const change = (part: Partial<VaultInitForm>): void => {
    setDecided({ ...form, ...part });
  };
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  const token = view.tokens.find((each) => tokenKey(each) === form.token);
  useInspection(token);
  const { errors, plan, will, warnings } = checkVaultInit(view, form);
  // A rehearsal never touches a real token, nor the other way round.
  const tokens = view.tokens.filter((each) => each.initialized && each.rehearsal === (vault?.rehearsal ?? false));
  const { destinations, ...whole } = errors;
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      marks={vault?.rehearsal === true ? <RehearsalMark /> : undefined}
      will={will}
      errors={[...Object.values(whole), ...Object.values(destinations)]}
      plan={plan}
    >
      <Card>
        <VaultChoice
          words={words}
          vaults={view.vaults}
          value={form.vaultId}
          error={errors.vault}
          help={view.vaults.some((each) => each.state === 'uninitialized') ? undefined : words.vaultsNone}
          isFit={({ nodes }) => nodes.some(({ state }) => state === 'uninitialized')}
          onChange={(chosen) => {
            change({ keyLabel: '', ...pickToken(view, chosen), vaultId: chosen });
          }}
        />
        {tokens.length === 0 ? (
          <Note tone="warn" shape="alert">
            <p>{words.tokensNone}</p>
            <Actions>
              <Button
                onPress={() => {
                  go(paths.tokenSetup(vault?.rehearsal === true ? view.rehearsal.storeId : '', ''));
                }}
              >
                {words.setUpToken}
              </Button>
            </Actions>
          </Note>
        ) : (
          <div className={css('pair')}>
            <Picker
              label={words.token}
              term="token"
              value={form.token}
              error={form.token === '' ? undefined : errors.token}
              onChange={(chosen) => {
                change({ token: chosen, keyLabel: '' });
              }}
              choices={tokens.map((each) => ({
                value: tokenKey(each),
                title: `${each.label} (${each.serial})`,
                help: each.storeName,
              }))}
            />
            <Picker
              label={words.key}
              term="wrapping-key"
              placeholder={token?.inspected === false ? words.keysReading : words.keysNone}
              value={effectiveKeyLabel(view, form)}
              error={token?.inspected === true ? errors.keyLabel : undefined}
              onChange={(keyLabel) => {
                change({ keyLabel });
              }}
              choices={(token?.wrappingKeys ?? [])
                .filter((key, index, all) => all.findIndex((other) => other.label === key.label) === index)
                .map((key) => ({
                  value: key.label,
                  title: words.keyOption(key.label, kindOfKey(key)),
                  disabled: !key.complete || key.doubled,
                }))}
            />
          </div>
        )}
      </Card>
      <Card title={words.shares}>
        <div className={css('steppers')}>
          <Stepper
            label={words.shares}
            term="share"
            minimum={1}
            maximum={255}
            value={form.shares}
            error={errors.shares}
            onChange={(shares) => {
              change({ shares });
            }}
          />
          <Stepper
            label={words.threshold}
            term="threshold"
            minimum={1}
            maximum={255}
            value={form.threshold}
            error={errors.threshold}
            onChange={(threshold) => {
              change({ threshold });
            }}
          />
        </div>
        {errors.threshold === undefined && errors.shares === undefined ? (
          <p className={css('sentence')} role="status">
            {words.sentence(form.threshold, form.shares)}
          </p>
        ) : null}
      </Card>
      <ShareDestinations
        form={form}
        onChange={setDecided}
        errors={destinations}
        warnings={warnings}
        rehearsal={vault?.rehearsal ?? false}
      />
      {usesSecret(form) && vault?.rehearsal !== true ? (
        <Card title={words.secretTitle}>
          <SecretChoice
            view={view}
            form={form.secret}
            error={errors.secret}
            onChange={(secret) => {
              change({ secret });
            }}
          />
        </Card>
      ) : null}
      <Card>
        <Choices
          label={words.rootToken}
          term="root-token"
          value={form.rootToken.kind}
          error={errors.rootToken}
          onChange={(kind) => {
            change({ rootToken: { ...form.rootToken, kind } });
          }}
          choices={(['revoked', 'token', 'secret', 'pgp'] as const)
            .filter((kind) => kind !== 'secret' || vault?.rehearsal !== true)
            .map((kind) => ({
              value: kind,
              title: words.root[kind],
              help: words.rootHelp[kind],
            }))}
        />
        {form.rootToken.kind === 'pgp' ? (
          <div className={css('pair')}>
            <LineField
              label={words.rootCustodian}
              value={form.rootToken.custodian}
              maximumLength={80}
              onChange={(custodian) => {
                change({ rootToken: { ...form.rootToken, custodian } });
              }}
            />
            <PgpKeyChoice
              name={words.rootCustodian}
              chosen={form.rootToken.pgpKey}
              onChange={(pgpKey) => {
                change({ rootToken: { ...form.rootToken, pgpKey } });
              }}
            />
          </div>
        ) : null}
      </Card>
    </PlanLayout>
  );
}
