import { useState, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Card, Mono, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark, VaultStateMark } from '../../ui/StateMark.tsx';
import { PlanLayout } from './PlanLayout.tsx';
import { ShareSources } from './ShareSources.tsx';
import { VaultChoice } from './VaultChoice.tsx';
import { checkUnseal, nodesToUnseal, unsealFormFor, type UnsealForm } from './unseal-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.unseal;

export function UnsealPlanPage({ view, vaultId }: { readonly view: AppView; readonly vaultId: string }): ReactNode {
  const [asked, setAsked] = useState(vaultId);
  const [decided, setDecided] = useState<UnsealForm>();
  const form = unsealFormFor(view, asked, decided);
  // Settled once a token was proposed, so that later changes to the list never swap it.
  if (decided === undefined && form.sources.length > 0) setDecided(form);
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  const { errors, plan, will } = checkUnseal(view, form);
  const nodes = vault === undefined ? [] : nodesToUnseal(vault);
  const [firstNode] = nodes;
  const { each, ...whole } = errors;
  if (view.vaults.length === 0) {
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
      marks={vault?.rehearsal === true ? <RehearsalMark /> : undefined}
      will={will}
      errors={[...Object.values(whole), ...Object.values(each)]}
      plan={plan}
    >
      <Card>
        <VaultChoice
          words={words}
          vaults={view.vaults}
          value={form.vaultId}
          error={errors.vault}
          onChange={(chosen) => {
            setAsked(chosen);
            setDecided(undefined);
          }}
        />
        <div>
          <h2>{words.nodes}</h2>
          {nodes.length === 0 ? <p className={css('quiet')}>{words.nodesNone}</p> : null}
          <ul aria-label={words.nodes}>
            {nodes.map((node) => (
              <li key={node.address} className={css('node')}>
                <Mono>{node.address}</Mono>
                <VaultStateMark state={node.state} />
              </li>
            ))}
          </ul>
        </div>
        {firstNode === undefined || firstNode.threshold === 0 ? null : (
          <p>
            {words.needed(firstNode.threshold)} {firstNode.progress > 0 ? words.already(firstNode.progress) : ''}
          </p>
        )}
      </Card>
      {vault === undefined ? null : (
        <ShareSources
          view={view}
          vault={vault}
          sources={form.sources}
          errors={each}
          onChange={(change) => {
            // A dialog may have been open for long: what was decided meanwhile counts.
            setDecided((before) => ({ vaultId: form.vaultId, sources: change((before ?? form).sources) }));
          }}
        />
      )}
    </PlanLayout>
  );
}
