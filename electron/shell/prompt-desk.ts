/**
 * The prompt port of the desktop app: one prompt at a time, the others wait their turn. Pure but for the
 * window, which is given: the contract tests drive it with a surface of their own.
 */
import { randomUUID } from 'node:crypto';
import type { PromptView } from '../contract/prompt.ts';
import { secretPurpose } from '../sealing/schema.ts';
import { rootLabel } from '../workflows/bank-vaults.ts';
import { failure, success, type AppFailureCode, type Result } from '../workflows/failures.ts';
import type { PromptPort, SealedSecretValue } from '../workflows/ports.ts';
import type { PromptDeskPort } from '../ipc/prompt-handlers.ts';

/** A window for one prompt. `open` is told what to call when it is gone, whoever closed it. */
export interface PromptSurface {
  /** webContents id, undefined while there is no window. */
  readonly id: number | undefined;
  open(onClosed: () => void): void;
  close(): void;
}

interface Submission {
  readonly sealed: SealedSecretValue;
  readonly consentToLastTry: boolean;
}

interface Prompt {
  readonly view: PromptView;
  /** hand-out only */
  readonly sealTo: ((publicKey: string) => Promise<Result<SealedSecretValue>>) | undefined;
  readonly settle: (outcome: Result<Submission | 'confirmed', AppFailureCode>) => void;
}

export interface PromptDesk {
  readonly port: PromptPort;
  readonly handlers: PromptDeskPort;
  /** Whether a prompt is open: someone is at the desk. */
  readonly isOpen: boolean;
  /** On lock and quit: every prompt, open or waiting, answers App_PromptCancelled. */
  cancelAll(): void;
}

const cancelled = failure(
  'App_PromptCancelled',
  'The prompt was closed before it was answered.',
  'Begin the step again when you are ready. Nothing was changed.',
);
const notOpen = failure('App_NotFound', 'That prompt is not open any more.', 'Begin the step again.');

/** For the words of the prompt; the value itself is not known here. */
function whatIsHandedOut(purpose: string, label: string): Extract<PromptView, { kind: 'hand-out' }>['what'] {
  if (purpose === secretPurpose.dkekPieceForDisplay) return 'piece';
  return label === rootLabel ? 'root-token' : 'share';
}

export function createPromptDesk(surface: PromptSurface): PromptDesk {
  const waiting: Prompt[] = [];
  let current: Prompt | undefined;

  const finish = (prompt: Prompt, outcome: Result<Submission | 'confirmed', AppFailureCode>): void => {
    if (current !== prompt) return;
    current = undefined;
    surface.close();
    prompt.settle(outcome);
    showNext();
  };

  const showNext = (): void => {
    if (current !== undefined) return;
    const next = waiting.shift();
    if (next === undefined) return;
    current = next;
    surface.open(() => {
      finish(next, cancelled);
    });
  };

  const ask = (
    view: (id: string) => PromptView,
    sealTo?: Prompt['sealTo'],
  ): Promise<Result<Submission | 'confirmed', AppFailureCode>> =>
    new Promise((settle) => {
      waiting.push({ view: view(randomUUID()), sealTo, settle });
      showNext();
    });

  const findCurrent = (id: string): Prompt | undefined => (current?.view.id === id ? current : undefined);

  const port: PromptPort = {
    async askPin(request) {
      const outcome = await ask((id) => ({
        id,
        kind: 'pin',
        rehearsal: request.rehearsal,
        act: request.act,
        problem: request.problem,
        role: request.role,
        isNew: request.isNew,
        tokenLabel: request.tokenLabel,
        tokenSerial: request.tokenSerial,
        minimumLength: request.minimumLength,
        maximumLength: request.maximumLength,
        pinState: request.pinState,
        form: request.form ?? 'text',
        recipient: request.recipient,
        purpose: request.purpose,
      }));
      if (!outcome.ok) return outcome;
      return outcome.value === 'confirmed'
        ? cancelled
        : success({ sealed: outcome.value.sealed, consentToLastTry: outcome.value.consentToLastTry });
    },
    async askPassword(request) {
      const outcome = await ask((id) => ({
        id,
        kind: 'password',
        rehearsal: request.rehearsal,
        act: request.act,
        problem: request.problem,
        what: request.what,
        custodian: request.custodian,
        isNew: request.isNew,
        form: request.form,
        minimumLength: request.minimumLength,
        tokenLabel: request.tokenLabel,
        tokenSerial: request.tokenSerial,
        recipient: request.recipient,
        purpose: request.purpose,
      }));
      if (!outcome.ok) return outcome;
      return outcome.value === 'confirmed' ? cancelled : success(outcome.value.sealed);
    },
    async askShare(request) {
      const outcome = await ask((id) => ({
        id,
        kind: 'share',
        rehearsal: request.rehearsal,
        act: request.act,
        problem: request.problem,
        vaultName: request.vaultName,
        recipient: request.recipient,
        purpose: request.purpose,
      }));
      if (!outcome.ok) return outcome;
      return outcome.value === 'confirmed' ? cancelled : success(outcome.value.sealed);
    },
    async handOut(request) {
      const outcome = await ask(
        (id) => ({
          id,
          kind: 'hand-out',
          what: whatIsHandedOut(request.purpose, request.label),
          rehearsal: request.rehearsal,
          act: `Write down ${request.label} and type it back`,
          problem: '',
          custodian: request.custodian,
          label: request.label,
          vaultName: request.vaultName,
          purpose: request.purpose,
        }),
        request.sealTo,
      );
      if (!outcome.ok) return outcome;
      return outcome.value === 'confirmed' ? success({ confirmed: true }) : cancelled;
    },
  };

  const handlers: PromptDeskPort = {
    view: () => (current === undefined ? notOpen : success(current.view)),
    submit({ id, sealed, consentToLastTry }) {
      const prompt = findCurrent(id);
      if (prompt === undefined || prompt.view.kind === 'hand-out') return notOpen;
      finish(prompt, success({ sealed, consentToLastTry }));
      return success({});
    },
    async reveal({ id, publicKey }) {
      const prompt = findCurrent(id);
      if (prompt?.sealTo === undefined) return notOpen;
      const result = await prompt.sealTo(publicKey);
      // Cancelled while the token decrypted: what was made for that window goes to no other.
      if (findCurrent(id) === undefined) return notOpen;
      return result.ok ? success({ sealed: result.value }) : result;
    },
    confirm({ id }) {
      const prompt = findCurrent(id);
      if (prompt?.view.kind !== 'hand-out') return notOpen;
      finish(prompt, success('confirmed'));
      return success({});
    },
    cancel({ id }) {
      const prompt = findCurrent(id);
      if (prompt === undefined) return notOpen;
      finish(prompt, cancelled);
      return success({});
    },
  };

  return {
    port,
    handlers,
    get isOpen() {
      return current !== undefined;
    },
    cancelAll() {
      for (const prompt of waiting.splice(0)) prompt.settle(cancelled);
      if (current !== undefined) finish(current, cancelled);
    },
  };
}
