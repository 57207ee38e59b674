import { expect, it } from 'vitest';
import { findFreePort } from '../../electron/rehearsal/vault-server.ts';

it('gives each port once: a Vault does not start where two of its own are the same', async () => {
  // So many that the system, which draws them, all but surely repeats one.
  const asked = 1200;
  const ports = new Set<number>();
  for (let time = 0; time < asked; time += 1) ports.add(await findFreePort());
  expect(ports.size).toBe(asked);
});
