import { useEffect, useRef, useState } from 'react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { RecipeName } from '../../../electron/workflows/recipes/recipes.ts';
import { act } from '../../stores/alert-store.ts';
import type { RecipeForm } from './recipe-form.ts';

/** Milliseconds after a key before the manifest is made anew: faster than a person looks over. */
const pause = 120;

export type Rendered = ChannelReply<'recipes.render'>;

/** The forms of this session, so that going to a run or another page and back loses nothing. */
const kept = new Map<RecipeName, RecipeForm>();

/** The form of a recipe as it was left, where it was opened in this session. */
export function keptRecipe(recipe: RecipeName): RecipeForm | undefined {
  return kept.get(recipe);
}

/** The form of a recipe, filled with its defaults, and what it becomes as one types. */
export function useRecipe(recipe: RecipeName): {
  readonly form: RecipeForm | undefined;
  readonly change: (form: RecipeForm) => void;
  /** What the last form without a problem became. */
  readonly rendered: Rendered | undefined;
  readonly problems: Rendered['problems'];
  /** The form was changed since it was last rendered. */
  readonly isBehind: boolean;
} {
  const [form, setForm] = useState<RecipeForm | undefined>(() => kept.get(recipe));
  const [rendered, setRendered] = useState<Rendered>();
  const [problems, setProblems] = useState<Rendered['problems']>([]);
  const [isBehind, setBehind] = useState(true);
  const latest = useRef<RecipeForm>(undefined);

  useEffect(() => {
    if (kept.has(recipe)) return;
    let wanted = true;
    void act('recipes.defaults', { recipe }).then((reply) => {
      if (wanted && reply !== undefined) setForm(reply.input);
    });
    return () => {
      wanted = false;
    };
  }, [recipe]);

  useEffect(() => {
    if (form === undefined) return undefined;
    latest.current = form;
    const timer = setTimeout(() => {
      void act('recipes.render', { form }).then((reply) => {
        // Answers to what was typed before are not taken in.
        if (reply === undefined || latest.current !== form) return;
        setBehind(false);
        setProblems(reply.problems);
        if (reply.problems.length === 0) setRendered(reply);
      });
    }, pause);
    return () => {
      clearTimeout(timer);
    };
  }, [form]);

  return {
    form,
    rendered,
    problems,
    isBehind,
    change(next) {
      kept.set(recipe, next);
      setBehind(true);
      setForm(next);
    },
  };
}
