import { useState, type ReactNode } from 'react';
import type { AppView, SettingsView } from '../../../electron/contract/views.ts';
import { act, useAlerts } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { Choices, LineField, Stepper } from '../../ui/Fields.tsx';
import { Card, Fact, Facts, Items, Mono, Page } from '../../ui/Pieces.tsx';

const words = text.settings;

export function SettingsPage({ view }: { readonly view: AppView }): ReactNode {
  const { settings } = view;
  const [operatorName, setOperatorName] = useState(settings.operatorName);
  const say = useAlerts((state) => state.say);
  const change = async (part: Partial<SettingsView>): Promise<void> => {
    const reply = await act('settings.change', { ...settings, ...part });
    if (reply !== undefined) say(words.saved);
  };
  return (
    <Page title={words.title}>
      <Card title={words.operatorTitle}>
        <LineField
          label={words.operator}
          help={words.operatorHelp}
          value={operatorName}
          onChange={setOperatorName}
          maximumLength={80}
        />
        <div>
          <Button
            disabled={operatorName.trim() === settings.operatorName}
            onPress={() => void change({ operatorName: operatorName.trim() })}
          >
            {words.save}
          </Button>
        </div>
      </Card>
      <Card title={words.appearance}>
        <Choices
          label={words.theme}
          value={settings.theme}
          onChange={(theme) => void change({ theme })}
          choices={[
            { value: 'system', title: words.themes.system },
            { value: 'light', title: words.themes.light },
            { value: 'dark', title: words.themes.dark },
          ]}
        />
      </Card>
      <Card title={words.lockTitle}>
        <Stepper
          label={words.lockAfter}
          help={words.lockHelp}
          minimum={1}
          maximum={240}
          value={settings.lockAfterMinutes}
          onChange={(lockAfterMinutes) => void change({ lockAfterMinutes: Math.round(lockAfterMinutes) })}
        />
      </Card>
      <Card title={words.about}>
        <p>{words.aboutText}</p>
        <Facts>
          <Fact name={text.app.name}>{text.app.version(view.version)}</Fact>
          <Fact name={words.tray}>{view.trayAvailable ? words.trayYes : words.trayNo}</Fact>
          <Fact name={words.dataDirectory} wide>
            <Mono>{view.dataDirectory}</Mono>
          </Fact>
        </Facts>
        <h3>{words.terminalTitle}</h3>
        <p>{words.terminalText}</p>
        <Facts>
          {words.terminalCommands.map(([command, what]) => (
            <Fact key={command} name={what}>
              <Mono>{command}</Mono>
            </Fact>
          ))}
        </Facts>
        <h3>{words.keptTitle}</h3>
        <Items marks="bullets" items={words.kept} />
      </Card>
    </Page>
  );
}
