import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components';
import { classesOf } from './classes.ts';
import styles from './panels.module.css';

const css = classesOf(styles);

/** Parts of one thing, side by side; arrow keys go from one to the next. `detail` stands behind a tab's name. */
export function Tabs<Id extends string>(props: {
  readonly label: string;
  readonly value: Id;
  readonly onChange: (id: Id) => void;
  readonly tabs: readonly {
    readonly id: Id;
    readonly title: string;
    readonly detail?: string;
    readonly grave?: boolean;
  }[];
  readonly children: ReactNode;
}): ReactNode {
  return (
    <AriaTabs
      className={css('tabs')}
      selectedKey={props.value}
      keyboardActivation="manual"
      onSelectionChange={(key) => {
        const chosen = props.tabs.find((tab) => tab.id === key);
        if (chosen !== undefined && chosen.id !== props.value) props.onChange(chosen.id);
      }}
    >
      <TabList aria-label={props.label} className={css('tabList')}>
        {props.tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={css('tab', tab.grave === true && 'tabGrave')}>
            {tab.title}
            {tab.detail === undefined ? null : <span className={css('tabDetail')}>{tab.detail}</span>}
          </Tab>
        ))}
      </TabList>
      <TabPanel id={props.value} className={css('tabPanel')}>
        {props.children}
      </TabPanel>
    </AriaTabs>
  );
}
