import { useState, type ReactNode } from 'react';
import { Check, ChevronDown, CircleAlert, Minus, Plus } from 'lucide-react';
import {
  Button,
  CheckboxButton,
  CheckboxField,
  FieldError,
  Group,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  NumberField,
  Popover,
  RadioButton,
  RadioField,
  RadioGroup,
  Select,
  SelectValue,
  Text,
  TextArea,
  TextField,
} from 'react-aria-components';
import { text, type GlossaryTerm } from '../text/en.ts';
import { classesOf } from './classes.ts';
import { Term } from './Term.tsx';
import styles from './controls.module.css';

const css = classesOf(styles);

interface FieldProps {
  readonly label: string;
  readonly help?: string;
  /** What is wrong, in plain words; undefined or '' where nothing is. */
  readonly error?: string | undefined;
  readonly term?: GlossaryTerm;
  readonly disabled?: boolean;
}

function Problem({ error }: { readonly error: string | undefined }): ReactNode {
  return (
    <FieldError className={css('error')}>
      <CircleAlert size={14} aria-hidden />
      <span>{error}</span>
    </FieldError>
  );
}

function LabelRow({ label, term }: { readonly label: string; readonly term: GlossaryTerm | undefined }): ReactNode {
  return (
    <span className={css('labelRow')}>
      <Label className={css('label')}>{label}</Label>
      {term === undefined ? null : <Term of={term} />}
    </span>
  );
}

function isWrong(error: string | undefined): boolean {
  return error !== undefined && error !== '';
}

export function LineField(
  props: FieldProps & {
    readonly value: string;
    readonly onChange: (value: string) => void;
    readonly multiline?: boolean;
    readonly autoFocus?: boolean;
    readonly maximumLength?: number;
    /** Set small, for what is long: paths, images, addresses. */
    readonly small?: boolean;
  },
): ReactNode {
  // What is still empty is no mistake yet: it is said here once the field was left or changed.
  const [met, setMet] = useState(props.value !== '');
  const error = met ? props.error : undefined;
  return (
    <TextField
      className={css('field')}
      value={props.value}
      onChange={(value) => {
        setMet(true);
        props.onChange(value);
      }}
      onBlur={() => {
        setMet(true);
      }}
      isInvalid={isWrong(error)}
      isDisabled={props.disabled === true}
      autoFocus={props.autoFocus === true}
      maxLength={props.maximumLength ?? 255}
      autoComplete="off"
      spellCheck="false"
    >
      <LabelRow label={props.label} term={props.term} />
      {props.multiline === true ? (
        <TextArea className={css('input')} rows={4} />
      ) : (
        <Input className={css('input', props.small === true && 'inputSmall')} />
      )}
      {props.help === undefined ? null : (
        <Text slot="description" className={css('help')}>
          {props.help}
        </Text>
      )}
      <Problem error={error} />
    </TextField>
  );
}

export function Stepper(
  props: FieldProps & {
    readonly value: number;
    readonly onChange: (value: number) => void;
    readonly minimum: number;
    readonly maximum: number;
  },
): ReactNode {
  return (
    <NumberField
      className={css('field')}
      value={props.value}
      onChange={(value) => {
        if (Number.isFinite(value)) props.onChange(value);
      }}
      minValue={props.minimum}
      maxValue={props.maximum}
      isInvalid={isWrong(props.error)}
      isDisabled={props.disabled === true}
      formatOptions={{ useGrouping: false, maximumFractionDigits: 0 }}
    >
      <LabelRow label={props.label} term={props.term} />
      <Group className={css('stepper')}>
        <Button
          slot="decrement"
          className={css('stepperButton')}
          aria-label={`${text.common.decrease}: ${props.label}`}
        >
          <Minus size={16} aria-hidden />
        </Button>
        <Input />
        <Button
          slot="increment"
          className={css('stepperButton')}
          aria-label={`${text.common.increase}: ${props.label}`}
        >
          <Plus size={16} aria-hidden />
        </Button>
      </Group>
      {props.help === undefined ? null : (
        <Text slot="description" className={css('help')}>
          {props.help}
        </Text>
      )}
      <Problem error={props.error} />
    </NumberField>
  );
}

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly title: string;
  readonly help?: string;
  readonly disabled?: boolean;
}

export function Choices<Value extends string>(
  props: FieldProps & {
    readonly value: Value;
    readonly onChange: (value: Value) => void;
    readonly choices: readonly Choice<Value>[];
    /** One below the other, for choices that need room to be explained. */
    readonly stacked?: boolean;
  },
): ReactNode {
  return (
    <RadioGroup
      className={css('field')}
      value={props.value}
      isDisabled={props.disabled === true}
      isInvalid={isWrong(props.error)}
      onChange={(value) => {
        const chosen = props.choices.find((choice) => choice.value === value);
        if (chosen !== undefined) props.onChange(chosen.value);
      }}
    >
      <LabelRow label={props.label} term={props.term} />
      <div className={css('choices', props.stacked === true && 'choicesStacked')}>
        {props.choices.map((choice) => (
          <RadioField
            key={choice.value}
            value={choice.value}
            className={css('choiceField')}
            isDisabled={choice.disabled === true}
          >
            <RadioButton className={css('choice')}>
              <span className={css('choiceMark')} aria-hidden />
              <span className={css('choiceTitle')}>{choice.title}</span>
              {choice.help === undefined ? null : <span className={css('choiceHelp')}>{choice.help}</span>}
            </RadioButton>
          </RadioField>
        ))}
      </div>
      {props.help === undefined ? null : (
        <Text slot="description" className={css('help')}>
          {props.help}
        </Text>
      )}
      <Problem error={props.error} />
    </RadioGroup>
  );
}

/** A choice from a list that may be long. '' is "nothing chosen yet". */
export function Picker<Value extends string>(
  props: FieldProps & {
    readonly value: Value | '';
    readonly onChange: (value: Value) => void;
    readonly placeholder?: string;
    readonly choices: readonly Choice<Value>[];
  },
): ReactNode {
  return (
    <Select
      className={css('field')}
      value={props.value === '' ? null : props.value}
      placeholder={props.placeholder ?? ''}
      isDisabled={props.disabled === true}
      isInvalid={isWrong(props.error)}
      disabledKeys={props.choices.filter((choice) => choice.disabled === true).map((choice) => choice.value)}
      onChange={(key) => {
        const chosen = props.choices.find((choice) => choice.value === key);
        if (chosen !== undefined) props.onChange(chosen.value);
      }}
    >
      <LabelRow label={props.label} term={props.term} />
      <Button className={css('pickerButton')}>
        <SelectValue>
          {({ selectedText, isPlaceholder, defaultChildren }) => (isPlaceholder ? defaultChildren : selectedText)}
        </SelectValue>
        <ChevronDown size={16} aria-hidden />
      </Button>
      {props.help === undefined ? null : (
        <Text slot="description" className={css('help')}>
          {props.help}
        </Text>
      )}
      <Problem error={props.error} />
      <Popover className={css('popover')}>
        <ListBox className={css('menu')}>
          {props.choices.map((choice) => (
            <ListBoxItem key={choice.value} id={choice.value} textValue={choice.title} className={css('option')}>
              <Text slot="label">{choice.title}</Text>
              {choice.help === undefined ? null : (
                <Text slot="description" className={css('optionHelp')}>
                  {choice.help}
                </Text>
              )}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

export function Tick(props: {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}): ReactNode {
  return (
    <CheckboxField isSelected={props.checked} onChange={props.onChange} isDisabled={props.disabled === true}>
      <CheckboxButton className={css('check')}>
        <span className={css('checkMark')} aria-hidden>
          <Check size={14} strokeWidth={3} />
        </span>
        <span>{props.label}</span>
      </CheckboxButton>
    </CheckboxField>
  );
}
