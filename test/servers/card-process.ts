/** A card in software as a process of its own, so that a test that drives the app leaves it room to answer. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const startCardPath = fileURLToPath(new URL('../fixtures/smartcard-hsm/start-card.ts', import.meta.url));
const answerSchema = z.record(z.string(), z.unknown());
type Answer = z.infer<typeof answerSchema>;

export interface CardProcess {
  /** One command of start-card.ts, such as 'plug 0', 'unplug', 'delay generateKeyPair 3000'. Rejects with what the card says is wrong. */
  tell(command: string): Promise<Answer>;
  end(): Promise<void>;
}

/** Starts a card that is not plugged in yet. It needs a pcscd with virtual readers (`requireCardReaders`). */
export async function startCardProcess(serial: string): Promise<CardProcess> {
  const child = fork(startCardPath, ['--serial', serial, '--unplugged'], { execArgv: [] });
  const exited = once(child, 'exit');
  const answer = async (): Promise<Answer> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(() => Promise.reject(new Error('The card’s process ended.'))),
    ]);
    const parsed = answerSchema.parse(message);
    if (typeof parsed['error'] === 'string') throw new Error(parsed['error']);
    return parsed;
  };
  await answer();
  return {
    async tell(command) {
      const answered = answer();
      child.send(command);
      return answered;
    },
    async end() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
