import { useState, type ReactNode } from 'react';
import { Plus, X } from 'lucide-react';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Choices, LineField, Picker, Stepper, Tick } from '../../ui/Fields.tsx';
import { Card } from '../../ui/Pieces.tsx';
import { ChooseNodes } from './ChooseNodes.tsx';
import {
  isOn,
  numberAt,
  problemAt,
  textAt,
  valueAt,
  withValue,
  withVariant,
  type FieldProblem,
  type RecipeForm,
} from './recipe-form.ts';
import { sectionsOf, type RecipeField, type RecipeSection } from './recipe-fields.ts';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.recipes;

interface FormProps {
  readonly form: RecipeForm;
  readonly problems: readonly FieldProblem[];
  readonly onChange: (form: RecipeForm) => void;
  /** '' where no cluster was chosen. */
  readonly contextId: string;
}

/** A recipe's fields: the few that a person decides first, the others behind one line. */
export function RecipeFields(props: FormProps): ReactNode {
  const sections = sectionsOf(props.form);
  const first = sections.filter((section) => section.further !== true);
  const further = sections.filter((section) => section.further === true);
  const wrong = further
    .flatMap((section) => section.fields)
    .filter((field) => problemAt(props.problems, field.path) !== undefined).length;
  const [opened, setOpened] = useState(false);
  return (
    <Card>
      {first.map((section) => (
        <Section key={section.title} section={section} {...props} />
      ))}
      {further.length === 0 ? null : (
        <details
          className={css('section', 'further')}
          open={opened || wrong > 0}
          onToggle={(event) => {
            setOpened(event.currentTarget.open);
          }}
        >
          <summary>{words.more}</summary>
          <div className={css('furtherBody')}>
            {further.map((section, index) => (
              <Section key={`${section.title} ${String(index)}`} section={section} {...props} />
            ))}
          </div>
        </details>
      )}
    </Card>
  );
}

function Section({ section, ...props }: FormProps & { readonly section: RecipeSection }): ReactNode {
  return (
    <section className={css('section')} aria-label={section.title}>
      <h2>{section.title}</h2>
      <div className={css('fields')}>
        {section.fields.map((field) => (
          <div key={field.path} className={css(isWide(field) && 'wide')}>
            <Field field={field} {...props} />
          </div>
        ))}
      </div>
    </section>
  );
}

/** Images, paths and addresses are longer than a field beside another shows. */
const isLong = (path: string): boolean => /(?:image|path|directory|address|cafile|serviceaccount)$/iu.test(path);

const isWide = (field: RecipeField): boolean =>
  isLong(field.path) ||
  (field.kind === 'variant' && field.variants.some((variant) => variant.help !== undefined)) ||
  field.kind === 'nodes' ||
  field.kind === 'lines' ||
  field.kind === 'tick';

function Field({ field, form, problems, onChange, contextId }: FormProps & { readonly field: RecipeField }): ReactNode {
  const error = problemAt(problems, field.path);
  const change = (value: string | number | boolean): void => {
    onChange(withValue(form, field.path, value));
  };
  const common = { label: field.label, error, ...(field.help === undefined ? {} : { help: field.help }) };
  switch (field.kind) {
    case 'line':
      return (
        <LineField
          {...common}
          value={textAt(form, field.path)}
          maximumLength={2048}
          small={isLong(field.path)}
          onChange={change}
        />
      );
    case 'number':
      return (
        <Stepper
          {...common}
          value={numberAt(form, field.path)}
          minimum={field.minimum}
          maximum={field.maximum}
          onChange={change}
        />
      );
    case 'tick':
      return (
        <>
          <Tick label={field.label} checked={isOn(form, field.path)} onChange={change} />
          {error === undefined ? null : <p className={css('error')}>{error}</p>}
        </>
      );
    case 'choice':
      return (
        <Picker
          {...common}
          value={textAt(form, field.path)}
          onChange={(value) => {
            onChange(field.change(form, value));
          }}
          choices={field.choices}
        />
      );
    case 'variant':
      // Without a word of explanation to each, one line is enough.
      return field.variants.every((variant) => variant.help === undefined) ? (
        <Picker
          {...common}
          value={textAt(form, field.path)}
          onChange={(value) => {
            const variant = field.variants.find((each) => each.value === value);
            if (variant !== undefined) onChange(withVariant(form, field.path, value, variant.fields));
          }}
          choices={field.variants.map(({ value, title }) => ({ value, title }))}
        />
      ) : (
        <Choices
          {...common}
          value={textAt(form, field.path)}
          onChange={(value) => {
            const variant = field.variants.find((each) => each.value === value);
            if (variant !== undefined) onChange(withVariant(form, field.path, value, variant.fields));
          }}
          choices={field.variants.map(({ value, title, help }) => ({
            value,
            title,
            ...(help === undefined ? {} : { help }),
          }))}
        />
      );
    case 'lines':
      return <Lines field={field} form={form} problems={problems} onChange={onChange} />;
    case 'nodes':
      return <Nodes field={field} form={form} problems={problems} onChange={onChange} contextId={contextId} />;
  }
}

type ListProps = Omit<FormProps, 'contextId'> & { readonly field: RecipeField };

/** Short texts, one a line. */
function Lines({ field, form, problems, onChange }: ListProps): ReactNode {
  const value = valueAt(form, field.path);
  const lines = Array.isArray(value) ? value.map((each: unknown) => (typeof each === 'string' ? each : '')) : [];
  const set = (next: readonly string[]): void => {
    onChange(withValue(form, field.path, [...next]));
  };
  return (
    <div className={css('listField')} role="group" aria-label={field.label}>
      {lines.map((each, index) => (
        <div key={index} className={css('listRow', 'listRowShort')}>
          <LineField
            label={`${field.label} ${String(index + 1)}`}
            value={each}
            error={problemAt(problems, `${field.path}.${String(index)}`)}
            onChange={(changed) => {
              set(lines.map((before, at) => (at === index ? changed : before)));
            }}
          />
          <Button
            look="quiet"
            iconOnly
            icon={<X size={18} aria-hidden />}
            name={words.removeOf(each)}
            onPress={() => {
              set(lines.filter((_, at) => at !== index));
            }}
          >
            {words.removeOf(each)}
          </Button>
        </div>
      ))}
      <div className={css('listActions')}>
        <Button
          look="quiet"
          icon={<Plus size={18} aria-hidden />}
          name={words.addOf(field.label)}
          onPress={() => {
            set([...lines, '']);
          }}
        >
          {words.add}
        </Button>
      </div>
      <ListProblem problems={problems} path={field.path} />
    </div>
  );
}

interface NodeLine {
  readonly name: string;
  readonly devices: number;
}

function nodesOf(form: RecipeForm, path: string): readonly NodeLine[] {
  const value = valueAt(form, path);
  if (!Array.isArray(value)) return [];
  return value.map((each: unknown) => {
    const fields = new Map<string, unknown>(typeof each === 'object' && each !== null ? Object.entries(each) : []);
    const name = fields.get('name');
    const devices = fields.get('devices');
    return {
      name: typeof name === 'string' ? name : '',
      devices: typeof devices === 'number' ? devices : 0,
    };
  });
}

/** Nodes with how many devices are plugged in there; their names can be taken from the cluster. */
function Nodes({ field, form, problems, onChange, contextId }: ListProps & Pick<FormProps, 'contextId'>): ReactNode {
  const nodes = nodesOf(form, field.path);
  const set = (next: readonly NodeLine[]): void => {
    onChange(
      withValue(
        form,
        field.path,
        next.map(({ name, devices }) => ({ name, devices })),
      ),
    );
  };
  const change = (index: number, part: Partial<NodeLine>): void => {
    set(nodes.map((before, at) => (at === index ? { ...before, ...part } : before)));
  };
  return (
    <div className={css('listField')} role="group" aria-label={field.label}>
      {nodes.map((node, index) => (
        <div key={index} className={css('listRow')}>
          <LineField
            label={`${words.fields.node} ${String(index + 1)}`}
            value={node.name}
            error={problemAt(problems, `${field.path}.${String(index)}.name`)}
            onChange={(name) => {
              change(index, { name });
            }}
          />
          <Stepper
            label={words.fields.devices}
            value={node.devices}
            minimum={0}
            maximum={16}
            onChange={(devices) => {
              change(index, { devices });
            }}
          />
          <Button
            look="quiet"
            iconOnly
            icon={<X size={18} aria-hidden />}
            name={words.removeOf(node.name)}
            onPress={() => {
              set(nodes.filter((_, at) => at !== index));
            }}
          >
            {words.removeOf(node.name)}
          </Button>
        </div>
      ))}
      <div className={css('listActions')}>
        <Button
          look="quiet"
          icon={<Plus size={18} aria-hidden />}
          name={words.addOf(field.label)}
          onPress={() => {
            set([...nodes, { name: '', devices: 1 }]);
          }}
        >
          {words.add}
        </Button>
        {contextId === '' ? null : (
          <ChooseNodes
            contextId={contextId}
            chosen={nodes.map((node) => node.name)}
            onChoose={(names) => {
              set(names.map((name) => nodes.find((node) => node.name === name) ?? { name, devices: 1 }));
            }}
          />
        )}
      </div>
      <ListProblem problems={problems} path={field.path} />
    </div>
  );
}

/** What is wrong with a list as a whole; what is wrong with a line stands at the line. */
function ListProblem({
  problems,
  path,
}: {
  readonly problems: readonly FieldProblem[];
  readonly path: string;
}): ReactNode {
  const problem = problems.find((each) => each.path === path);
  return problem === undefined ? null : <p className={css('error')}>{problem.message}</p>;
}
