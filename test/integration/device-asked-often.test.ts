/** Asking for devices again and again, at any pace, never hangs: the thread that watches the readers is not stopped. */
import { expect, test } from 'vitest';
import { setUpSmartCardHsm } from '../fixtures/token-kinds.ts';
import { valueOf } from '../fixtures/token-port.ts';

test('a hundred questions are a hundred answers', async () => {
  const device = await setUpSmartCardHsm();
  try {
    for (let round = 0; round < 100; round += 1) {
      const devices = valueOf(await device.port.listDevices(device.store.id));
      expect(devices.map(({ serial }) => serial)).toEqual([device.serial]);
    }
  } finally {
    await device.dispose();
  }
});
