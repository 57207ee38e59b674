import { useState, type ReactNode } from 'react';
import { Trash2 } from 'lucide-react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import { beginRun } from '../../stores/begin-run.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, Items, Note } from '../../ui/Pieces.tsx';
import { vaultsOnToken } from '../../views/devices.ts';
import { lossesOnErase, planReset } from './token-plans.ts';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.erase;

/** What dies with the token is seen before the run that erases it is begun. */
export function EraseTab({ view, token }: { readonly view: AppView; readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [busy, setBusy] = useState(false);
  const vaults = vaultsOnToken(view, token);
  return (
    <Card title={words.title} look="danger">
      <p>{words.text}</p>
      {vaults.length === 0 ? null : (
        <Note tone="bad" shape="stop">
          <p>{words.used(vaults.map((vault) => vault.name).join(', '))}</p>
        </Note>
      )}
      <div className={css('halves')}>
        <div>
          <h3>{words.losses}</h3>
          <div className={css('losses')}>
            <Items marks="bullets" items={lossesOnErase(token, vaults)} label={words.losses} />
          </div>
        </div>
        <div>
          <h3>{words.stepsTitle}</h3>
          <Items marks="numbers" items={words.steps} label={words.stepsTitle} />
        </div>
      </div>
      <div className={css('act')}>
        <Button
          look="danger"
          large
          icon={<Trash2 size={18} aria-hidden />}
          pending={busy}
          disabled={token.writeProtected || (token.initialized && !token.inspected)}
          onPress={() => {
            setBusy(true);
            void beginRun(planReset(token, vaults)).finally(() => {
              setBusy(false);
            });
          }}
        >
          {words.begin}
        </Button>
        <p className={css('quiet')}>{words.beginNote}</p>
        <Button
          look="quiet"
          disabled={token.writeProtected}
          onPress={() => {
            go(paths.tokenSetup(token.storeId, token.slotId));
          }}
        >
          {words.setUpInstead}
        </Button>
      </div>
    </Card>
  );
}
