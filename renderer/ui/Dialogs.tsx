import { useState, type ReactNode } from 'react';
import { Dialog, Heading, Menu, MenuItem, MenuTrigger, Modal, ModalOverlay, Popover } from 'react-aria-components';
import type { FailureView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';
import { Button } from './Button.tsx';
import { classesOf } from './classes.ts';
import { FailureBox } from './FailureBox.tsx';
import { LineField } from './Fields.tsx';
import styles from './controls.module.css';

const css = classesOf(styles);

export function Sheet(props: {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  /** The act itself: alertdialog is announced with more weight. */
  readonly grave?: boolean;
  readonly children: ReactNode;
  readonly actions: ReactNode;
}): ReactNode {
  return (
    <ModalOverlay
      className={css('veil')}
      isOpen={props.open}
      isDismissable={props.grave !== true}
      onOpenChange={(open) => {
        if (!open) props.onClose();
      }}
    >
      <Modal className={css('modal')}>
        <Dialog className={css('dialog')} role={props.grave === true ? 'alertdialog' : 'dialog'}>
          <Heading slot="title" level={2}>
            {props.title}
          </Heading>
          {props.children}
          <div className={css('dialogActions')}>{props.actions}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A deliberate act: says what goes, and where a name is given asks for it to be typed. */
export function ConfirmDialog(props: {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  /** Answers whether it worked; the dialog closes only then. */
  readonly onConfirm: (typedName: string) => Promise<boolean>;
  readonly confirm: string;
  readonly typedName?: string;
  readonly problem?: FailureView | undefined;
  readonly children: ReactNode;
}): ReactNode {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const ready = props.typedName === undefined || typed === props.typedName;
  const close = (): void => {
    setTyped('');
    props.onClose();
  };
  const confirm = async (): Promise<void> => {
    setBusy(true);
    const worked = await props.onConfirm(typed);
    setBusy(false);
    if (worked) close();
  };
  return (
    <Sheet
      grave
      title={props.title}
      open={props.open}
      onClose={close}
      actions={
        <>
          <Button onPress={close} autoFocus={props.typedName === undefined}>
            {text.common.cancel}
          </Button>
          <Button look="danger-main" disabled={!ready} pending={busy} onPress={() => void confirm()}>
            {props.confirm}
          </Button>
        </>
      }
    >
      {props.children}
      {props.typedName === undefined ? null : (
        <LineField label={text.common.typeToConfirm(props.typedName)} value={typed} onChange={setTyped} autoFocus />
      )}
      {props.problem === undefined ? null : <FailureBox failure={props.problem} />}
    </Sheet>
  );
}

export function ActionMenu<Id extends string>(props: {
  readonly label: string;
  readonly name?: string;
  readonly icon?: ReactNode;
  readonly look?: 'plain' | 'primary' | 'quiet';
  readonly items: readonly { readonly id: Id; readonly title: string }[];
  readonly onAction: (id: Id) => void;
}): ReactNode {
  return (
    <MenuTrigger>
      <Button
        look={props.look ?? 'plain'}
        icon={props.icon}
        {...(props.name === undefined ? {} : { name: props.name })}
      >
        {props.label}
      </Button>
      <Popover className={css('popover')}>
        <Menu
          className={css('menu')}
          onAction={(key) => {
            const item = props.items.find((each) => each.id === key);
            if (item !== undefined) props.onAction(item.id);
          }}
        >
          {props.items.map((item) => (
            <MenuItem key={item.id} id={item.id} className={css('option')}>
              {item.title}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
