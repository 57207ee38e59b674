import type { ReactNode } from 'react';
import { Search, X } from 'lucide-react';
import { Button, Input, Label, SearchField, ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { text } from '../text/en.ts';
import { classesOf } from './classes.ts';
import styles from './panels.module.css';

const css = classesOf(styles);

/** Narrows a list as one types; Escape empties it. */
export function SearchLine(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  return (
    <SearchField className={css('search')} value={props.value} onChange={props.onChange}>
      <Label className={css('hiddenLabel')}>{props.label}</Label>
      <Search size={18} aria-hidden />
      <Input placeholder={props.label} />
      {props.value === '' ? null : (
        <Button aria-label={text.common.clear}>
          <X size={16} aria-hidden />
        </Button>
      )}
    </SearchField>
  );
}

/** One of a few, side by side. */
export function Segments<Value extends string>(props: {
  readonly label: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly choices: readonly { readonly value: Value; readonly title: string }[];
}): ReactNode {
  return (
    <ToggleButtonGroup
      className={css('segments')}
      aria-label={props.label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[props.value]}
      onSelectionChange={(keys) => {
        const chosen = props.choices.find((choice) => keys.has(choice.value));
        if (chosen !== undefined) props.onChange(chosen.value);
      }}
    >
      {props.choices.map((choice) => (
        <ToggleButton key={choice.value} id={choice.value} className={css('segment')}>
          {choice.title}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
