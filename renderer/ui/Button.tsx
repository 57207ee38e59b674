import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { classesOf } from './classes.ts';
import styles from './controls.module.css';

const css = classesOf(styles);

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  /** primary: the one main button of a page; danger: begins a dangerous act; danger-main: carries it out. */
  readonly look?: 'plain' | 'primary' | 'danger' | 'danger-main' | 'quiet';
  readonly large?: boolean;
  readonly disabled?: boolean;
  /** Shown as working; presses are ignored but the focus stays. */
  readonly pending?: boolean;
  readonly icon?: ReactNode;
  /** The name for screen readers where the words alone do not tell which thing is meant. */
  readonly name?: string;
  readonly iconOnly?: boolean;
  readonly autoFocus?: boolean;
  readonly type?: 'button' | 'submit';
}

export function Button(props: ButtonProps): ReactNode {
  const look = props.look ?? 'plain';
  return (
    <AriaButton
      type={props.type ?? 'button'}
      className={css(
        'button',
        look === 'primary' && 'primary',
        look === 'danger' && 'danger',
        look === 'danger-main' && 'dangerMain',
        look === 'quiet' && 'quiet',
        props.large === true && 'large',
        props.iconOnly === true && 'icon',
      )}
      isDisabled={props.disabled === true}
      isPending={props.pending === true}
      autoFocus={props.autoFocus === true}
      {...(props.onPress === undefined ? {} : { onPress: props.onPress })}
      {...(props.name === undefined ? {} : { 'aria-label': props.name })}
    >
      {props.icon}
      {props.iconOnly === true ? null : props.children}
    </AriaButton>
  );
}
