import { useState } from 'react';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { getPromptBridge } from './bridge.ts';

export interface HandingOver {
  readonly busy: boolean;
  readonly done: boolean;
  readonly problem: string;
  readonly setProblem: (problem: string) => void;
  /** Seals the bytes, which wipes them, and hands them over. @returns whether they were taken */
  readonly submit: (bytes: Uint8Array<ArrayBuffer>, consentToLastTry?: boolean) => Promise<boolean>;
}

/** How a prompt for something typed ends: the bytes are sealed to the host that asked, and leave the window only so. */
export function useHandingOver(view: {
  readonly id: string;
  readonly problem: string;
  readonly recipient: string;
  readonly purpose: string;
}): HandingOver {
  const [problem, setProblem] = useState(view.problem);
  const [state, setState] = useState<'typing' | 'busy' | 'done'>('typing');
  return {
    busy: state === 'busy',
    done: state === 'done',
    problem,
    setProblem,
    submit: async (bytes, consentToLastTry = false) => {
      setState('busy');
      const sealed = await sealSecret(view.recipient, bytes, view.purpose);
      const answer = await getPromptBridge().call('prompt.submit', { id: view.id, sealed, consentToLastTry });
      setState(answer.ok ? 'done' : 'typing');
      if (!answer.ok) setProblem(`${answer.error.message} ${answer.error.next}`);
      return answer.ok;
    },
  };
}
