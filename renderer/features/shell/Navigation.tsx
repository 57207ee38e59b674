import type { ReactNode } from 'react';
import { BookOpenCheck, House, KeyRound, ListChecks, LockKeyhole, Network, Server, Settings, Usb } from 'lucide-react';
import { Button as AriaButton } from 'react-aria-components';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { ShapeIcon, type Shape } from '../../ui/StateMark.tsx';
import { Hint } from '../../ui/Term.tsx';
import { glanceAt } from '../../views/glance.ts';
import styles from './shell.module.css';

const css = classesOf(styles);

interface Section {
  readonly path: string;
  readonly name: string;
  readonly state: string;
  readonly mark: Shape | undefined;
  readonly icon: ReactNode;
}

function sectionsOf(view: AppView): readonly Section[] {
  const glance = glanceAt(view);
  const words = text.navigation;
  const vaults =
    view.vaults.length === 0
      ? words.vaultsNone
      : glance.sealed.length > 0
        ? words.vaultsSealed(glance.sealed.length)
        : glance.missing.length > 0
          ? words.vaultsMissing(glance.missing.length)
          : glance.fresh.length > 0
            ? words.vaultsNew(glance.fresh.length)
            : view.vaults.some((vault) => vault.state === 'looking')
              ? words.looking
              : words.vaultsFine(view.vaults.length);
  const drifted = glance.drifted.length;
  const clusters =
    drifted > 0
      ? text.clusters.navigation.drifted(drifted)
      : view.clusters.state === 'failed'
        ? text.clusters.navigation.failed
        : view.clusters.state === 'looking'
          ? text.clusters.navigation.looking
          : view.clusters.contexts.length === 0
            ? text.clusters.navigation.none
            : text.clusters.navigation.found(view.clusters.contexts.length);
  const vaultMark = glance.sealed.length > 0 ? 'lock' : glance.missing.length > 0 ? 'unplug' : undefined;
  return [
    {
      path: paths.home,
      name: words.home,
      state: words.homeState(glance.waits),
      mark: glance.waits > 0 ? 'notice' : undefined,
      icon: <House size={20} aria-hidden />,
    },
    {
      path: paths.tokens,
      name: words.tokens,
      state:
        glance.unusable.length > 0
          ? words.tokensUnusable(glance.unusable.length)
          : view.tokens.length === 0 && view.stores.some((store) => store.state === 'looking')
            ? words.looking
            : words.tokensState(view.tokens.length),
      mark: glance.unusable.length > 0 ? 'unplug' : undefined,
      icon: <Usb size={20} aria-hidden />,
    },
    { path: paths.vaults, name: words.vaults, state: vaults, mark: vaultMark, icon: <Server size={20} aria-hidden /> },
    {
      path: paths.clusters,
      name: words.clusters,
      state: clusters,
      mark: drifted > 0 ? 'alert' : undefined,
      icon: <Network size={20} aria-hidden />,
    },
    {
      path: paths.runs,
      name: words.runs,
      state: words.runsState(glance.open.length),
      mark: glance.open.length > 0 ? 'dot' : undefined,
      icon: <ListChecks size={20} aria-hidden />,
    },
    {
      path: paths.journal,
      name: words.journal,
      state: words.journalState(glance.ended.length),
      mark: undefined,
      icon: <BookOpenCheck size={20} aria-hidden />,
    },
    {
      path: paths.settings,
      name: words.settings,
      state: words.settingsState(view.settings.lockAfterMinutes),
      mark: undefined,
      icon: <Settings size={20} aria-hidden />,
    },
  ];
}

export function Navigation({ view, path }: { readonly view: AppView; readonly path: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <nav className={css('side')} aria-label={text.navigation.label}>
      <div className={css('brand')}>
        <KeyRound size={22} aria-hidden />
        <span>{text.app.name}</span>
      </div>
      <ul className={css('links')}>
        {sectionsOf(view).map((section) => (
          <li key={section.path}>
            <NavigationButton
              section={section}
              current={section.path === '/' ? path === '/' : path.startsWith(section.path)}
              onPress={() => {
                go(section.path);
              }}
            />
          </li>
        ))}
      </ul>
      <div className={css('spring')} />
      <Hint words={text.navigation.lock}>
        <AriaButton className={css('link')} onPress={() => void act('app.lock', {})}>
          <LockKeyhole size={20} aria-hidden />
          <span className={css('linkName')}>{text.navigation.lock}</span>
        </AriaButton>
      </Hint>
    </nav>
  );
}

function NavigationButton({
  section,
  current,
  onPress,
}: {
  readonly section: Section;
  readonly current: boolean;
  readonly onPress: () => void;
}): ReactNode {
  return (
    <AriaButton
      className={css('link')}
      onPress={onPress}
      {...(current ? { 'aria-current': 'page' } : {})}
      aria-label={`${section.name}: ${section.state}`}
    >
      {section.icon}
      <span className={css('linkName')}>{section.name}</span>
      <span className={css('linkState')}>{section.state}</span>
      {section.mark === undefined ? null : (
        <span className={css('linkMark', 'attention')}>
          <ShapeIcon shape={section.mark} size={16} />
        </span>
      )}
    </AriaButton>
  );
}
