import { describe, expect, it } from 'vitest';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { createPromptDesk, type PromptDesk, type PromptSurface } from '../../electron/shell/prompt-desk.ts';
import { success } from '../../electron/workflows/failures.ts';

const sealed = { ephemeralPublicKey: 'A', nonce: 'B', ciphertext: 'C' };

interface Surface extends PromptSurface {
  readonly opened: number;
  /** The person closes the window. */
  dismiss(): void;
}

function createSurface(): Surface {
  let opened = 0;
  let closed: (() => void) | undefined;
  return {
    get opened() {
      return opened;
    },
    get id() {
      return closed === undefined ? undefined : opened;
    },
    open(onClosed) {
      opened += 1;
      closed = onClosed;
    },
    close() {
      const told = closed;
      closed = undefined;
      told?.();
    },
    dismiss() {
      this.close();
    },
  };
}

const pinRequest = (act: string): Parameters<PromptDesk['port']['askPin']>[0] => ({
  runId: 'run',
  rehearsal: true,
  act,
  tokenLabel: 'label',
  tokenSerial: 'serial',
  role: 'user',
  isNew: false,
  minimumLength: 4,
  maximumLength: 255,
  pinState: 'ok',
  problem: '',
  recipient: 'recipient',
  purpose: 'pin of serial',
});

function currentId(desk: PromptDesk): string {
  const view = desk.handlers.view();
  if (!view.ok) throw new Error('no prompt is open');
  return view.value.id;
}

const handOut = (
  sealTo: () => ReturnType<Parameters<PromptDesk['port']['handOut']>[0]['sealTo']>,
): Parameters<PromptDesk['port']['handOut']>[0] => ({
  runId: 'run',
  rehearsal: true,
  custodian: 'Ada',
  label: 'vault-unseal-0',
  vaultName: 'Vault',
  purpose: 'key share for display',
  sealTo,
});

describe('the prompt desk', () => {
  it('shows one prompt at a time and answers each with what was typed into its own', async () => {
    const surface = createSurface();
    const desk = createPromptDesk(surface);
    const first = desk.port.askPin(pinRequest('first'));
    const second = desk.port.askPin(pinRequest('second'));
    expect(surface.opened).toBe(1);
    const firstId = currentId(desk);
    desk.handlers.submit({ id: firstId, sealed, consentToLastTry: true });
    expect(await first).toEqual(success({ sealed, consentToLastTry: true }));
    expect(surface.opened).toBe(2);
    expect(currentId(desk)).not.toBe(firstId);
    expect(desk.handlers.submit({ id: firstId, sealed, consentToLastTry: true })).toMatchObject({
      error: { code: 'App_NotFound' },
    });
    desk.handlers.cancel({ id: currentId(desk) });
    expect(await second).toMatchObject({ ok: false, error: { code: 'App_PromptCancelled' } });
    expect(desk.isOpen).toBe(false);
    expect(surface.id).toBe(undefined);
  });

  it('takes a closed window as a cancelled prompt', async () => {
    const surface = createSurface();
    const desk = createPromptDesk(surface);
    const asked = desk.port.askShare({
      runId: 'run',
      rehearsal: false,
      act: 'act',
      vaultName: 'v',
      problem: '',
      recipient: 'r',
      purpose: 'p',
    });
    surface.dismiss();
    expect(await asked).toMatchObject({ error: { code: 'App_PromptCancelled' } });
  });

  it('cancels the open prompt and every waiting one on lock, and opens none of them', async () => {
    const surface = createSurface();
    const desk = createPromptDesk(surface);
    const asked = [
      desk.port.askPin(pinRequest('a')),
      desk.port.askPin(pinRequest('b')),
      desk.port.askPin(pinRequest('c')),
    ];
    desk.cancelAll();
    for (const answer of await Promise.all(asked))
      expect(answer).toMatchObject({ error: { code: 'App_PromptCancelled' } });
    expect(surface.opened).toBe(1);
    expect(desk.handlers.view()).toMatchObject({ error: { code: 'App_NotFound' } });
  });

  it('hands a share out only to the prompt it was sealed for', async () => {
    const surface = createSurface();
    const desk = createPromptDesk(surface);
    let answerSeal: () => void = () => undefined;
    const sealing = new Promise<void>((settle) => {
      answerSeal = settle;
    });
    const given = desk.port.handOut(
      handOut(async () => {
        await sealing;
        return success(sealed);
      }),
    );
    const id = currentId(desk);
    const revealing = desk.handlers.reveal({ id, publicKey: 'key' });
    desk.handlers.cancel({ id });
    answerSeal();
    expect(await revealing).toMatchObject({ error: { code: 'App_NotFound' } });
    expect(await given).toMatchObject({ error: { code: 'App_PromptCancelled' } });
  });

  it('asks for an SO-PIN in its form, and for a PIN as text where nothing is said', async () => {
    const desk = createPromptDesk(createSurface());
    const asked = [desk.port.askPin(pinRequest('text')), desk.port.askPin({ ...pinRequest('hex'), form: 'hex16' })];
    expect(desk.handlers.view()).toMatchObject({ value: { kind: 'pin', form: 'text' } });
    desk.handlers.cancel({ id: currentId(desk) });
    expect(desk.handlers.view()).toMatchObject({ value: { kind: 'pin', form: 'hex16' } });
    desk.cancelAll();
    await Promise.all(asked);
  });

  it('asks for a password with all that its prompt shows, and answers it sealed', async () => {
    const desk = createPromptDesk(createSurface());
    const shown = {
      rehearsal: false,
      act: 'Import DKEK share 1',
      tokenLabel: 'label',
      tokenSerial: 'serial',
      what: 'Password for DKEK share 1',
      custodian: 'Ada',
      isNew: true,
      form: 'password',
      minimumLength: 12,
      problem: 'It did not open the share.',
      recipient: 'recipient',
      purpose: 'dkek share password',
    } as const;
    const asked = desk.port.askPassword({ runId: 'run', ...shown });
    const id = currentId(desk);
    expect(desk.handlers.view()).toEqual(success({ id, kind: 'password', ...shown }));
    expect(desk.handlers.confirm({ id })).toMatchObject({ ok: false });
    desk.handlers.submit({ id, sealed, consentToLastTry: false });
    expect(await asked).toEqual(success(sealed));
    const cancelled = desk.port.askPassword({ runId: 'run', ...shown });
    desk.handlers.cancel({ id: currentId(desk) });
    expect(await cancelled).toMatchObject({ error: { code: 'App_PromptCancelled' } });
  });

  it.each([
    [secretPurpose.shareForDisplay, 'vault-unseal-0', 'share'],
    [secretPurpose.shareForDisplay, 'vault-root', 'root-token'],
    [secretPurpose.dkekPieceForDisplay, 'piece 1 of DKEK share 1', 'piece'],
  ])('says what is handed out for %s, %s', async (purpose, label, what) => {
    const desk = createPromptDesk(createSurface());
    const given = desk.port.handOut({ ...handOut(async () => success(sealed)), purpose, label });
    expect(desk.handlers.view()).toMatchObject({ value: { kind: 'hand-out', what, label } });
    desk.cancelAll();
    await given;
  });

  it('is not confirmed by what is typed into another kind of prompt', async () => {
    const desk = createPromptDesk(createSurface());
    const given = desk.port.handOut(handOut(async () => success(sealed)));
    const id = currentId(desk);
    expect(desk.handlers.submit({ id, sealed, consentToLastTry: false })).toMatchObject({ ok: false });
    expect(await desk.handlers.reveal({ id, publicKey: 'key' })).toEqual(success({ sealed }));
    expect(desk.handlers.confirm({ id })).toEqual(success({}));
    expect(await given).toEqual(success({ confirmed: true }));
    const pin = desk.port.askPin(pinRequest('pin'));
    expect(desk.handlers.confirm({ id: currentId(desk) })).toMatchObject({ ok: false });
    desk.cancelAll();
    expect(await pin).toMatchObject({ ok: false });
  });
});
