import { useState, type ReactNode } from 'react';
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { paths } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Picker } from '../../ui/Fields.tsx';
import { Card, Items, Mono, Note, Page } from '../../ui/Pieces.tsx';
import { VaultStateMark } from '../../ui/StateMark.tsx';
import { PlanLayout } from './PlanLayout.tsx';
import { ShareSources } from './ShareSources.tsx';
import {
  checkSealMigration,
  freshSealMigrationForm,
  moveNode,
  sealsOf,
  targetsOf,
  type SealMigrationForm,
  type SealType,
} from './seal-migration-form.ts';
import { VaultChoice } from './VaultChoice.tsx';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.sealMigration;

const helpOf = (seal: SealType): string =>
  seal === 'shamir' || seal === 'transit' || seal === 'pkcs11' ? words.sealHelp[seal] : words.sealHelp.cloud;

export function SealMigrationPlanPage({
  view,
  vaultId,
}: {
  readonly view: AppView;
  readonly vaultId: string;
}): ReactNode {
  const [decided, setDecided] = useState<SealMigrationForm>();
  const form = decided ?? freshSealMigrationForm(view, vaultId);
  // Settled once a token was proposed, so that later changes to the list never swap it.
  if (decided === undefined && form.sources.length > 0) setDecided(form);
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  const { errors, each, plan, will } = checkSealMigration(view, form);
  const choices = view.vaults.filter((candidate) => !candidate.rehearsal && candidate.state !== 'uninitialized');
  if (vault === undefined && choices.length === 0) {
    return (
      <Page title={words.title}>
        <p>{words.vaultsNone}</p>
      </Page>
    );
  }
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      trail={
        vault === undefined
          ? undefined
          : [
              { title: text.vaults.title, path: paths.vaults },
              { title: vault.name, path: paths.vault(vault.id) },
            ]
      }
      errors={errors}
      will={will}
      plan={plan}
    >
      <Card>
        <div className={css('short')}>
          <VaultChoice
            words={words}
            vaults={choices}
            value={form.vaultId}
            onChange={(chosen) => {
              setDecided(freshSealMigrationForm(view, chosen));
            }}
          />
          <Picker
            label={words.to}
            term="seal-type"
            placeholder={words.toNone}
            value={form.sealType}
            onChange={(sealType) => {
              setDecided({ ...form, sealType });
            }}
            {...(vault === undefined ? {} : { help: `${words.now}: ${sealsOf(vault).join(', ')}` })}
            choices={(vault === undefined ? [] : targetsOf(vault)).map((seal) => ({
              value: seal,
              title: words.seals[seal],
              help: helpOf(seal),
            }))}
          />
        </div>
        <Note tone="warn" shape="alert" title={words.snapshotTitle}>
          <p>{words.snapshot}</p>
        </Note>
      </Card>
      <Card title={words.order}>
        <p className={css('quiet')}>{words.orderHelp}</p>
        <ol aria-label={words.order} className={css('form')}>
          {form.addresses.map((address, index) => (
            <OrderedNode
              key={address}
              address={address}
              state={vault?.nodes.find((node) => node.address === address)?.state ?? 'looking'}
              onMove={(by) => {
                setDecided(moveNode(form, address, by));
              }}
              isFirst={index === 0}
              isLast={index === form.addresses.length - 1}
            />
          ))}
        </ol>
        {form.sealType === '' ? null : (
          <>
            <h3>{words.atNode}</h3>
            <Items marks="numbers" items={form.sealType === 'shamir' ? words.shamirSteps : words.autoSteps} />
            <p className={css('quiet')}>{words.atNodeLead}</p>
          </>
        )}
      </Card>
      {vault === undefined ? null : (
        <ShareSources
          view={view}
          vault={vault}
          sources={form.sources}
          errors={each}
          onChange={(change) => {
            setDecided((before) => ({ ...(before ?? form), sources: change((before ?? form).sources) }));
          }}
        />
      )}
    </PlanLayout>
  );
}

function OrderedNode(props: {
  readonly address: string;
  readonly state: AppView['vaults'][number]['state'];
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly onMove: (by: -1 | 1) => void;
}): ReactNode {
  const { address } = props;
  return (
    <li className={css('node')}>
      <Mono>{address}</Mono>
      <span className={css('file')}>
        <VaultStateMark state={props.state} />
        {props.isFirst && props.isLast ? null : (
          <>
            <Button
              look="quiet"
              iconOnly
              icon={<ArrowUp size={18} aria-hidden />}
              name={words.earlier(address)}
              disabled={props.isFirst}
              onPress={() => {
                props.onMove(-1);
              }}
            >
              {words.earlier(address)}
            </Button>
            <Button
              look="quiet"
              iconOnly
              icon={<ArrowDown size={18} aria-hidden />}
              name={words.later(address)}
              disabled={props.isLast}
              onPress={() => {
                props.onMove(1);
              }}
            >
              {words.later(address)}
            </Button>
          </>
        )}
      </span>
    </li>
  );
}
