/** The tests' own card service: its readers come up whatever else the machine has given the usual ports to. */
import { createServer, type Server } from 'node:net';
import { expect, it } from 'vitest';
import { createCard } from '../fixtures/smartcard-hsm/card.ts';
import { startCardReaders, waitForReader } from '../servers/pcscd.ts';

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return server;
}

it('both readers take cards while others listen where Debian puts them, in the range of ports for any connection', async () => {
  const others = await Promise.all([0x8c7b, 0x8c7c].map(listenOn));
  try {
    const readers = await startCardReaders({ patience: 600_000 });
    try {
      for (const index of [0, 1] as const) {
        const card = createCard({ serial: `ZZTEST0000${index}` });
        await card.plugIn(index);
        expect(await waitForReader(index, 'card')).toBe(true);
        card.unplug();
        expect(await waitForReader(index, 'empty')).toBe(true);
      }
    } finally {
      await readers.stop();
    }
  } finally {
    for (const other of others) await new Promise((resolve) => other.close(resolve));
  }
});
