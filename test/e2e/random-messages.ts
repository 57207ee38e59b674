/** Ten thousand messages of every shape down one channel, from inside a window. */
import type { Page } from '@playwright/test';

/**
 * @param exposedName the client that the window's preload script exposes
 * @returns how often each code was answered, 'ok' among them
 */
export async function sendRandomMessages(
  page: Page,
  exposedName: string,
  channel: string,
): Promise<readonly (readonly [code: string, count: number])[]> {
  return page.evaluate(
    async ([client, name]) => {
      const bridge = Reflect.get(window, client) as {
        call(
          name: string,
          request: unknown,
        ): Promise<{ readonly ok: boolean; readonly error?: { readonly code: string } }>;
      };
      let seed = 1;
      const random = (limit: number): number => {
        // Park and Miller, 1988: the same messages at every run.
        seed = (seed * 48271) % 2147483647;
        return seed % limit;
      };
      const words = [
        'runId',
        'plan',
        'storeId',
        'serial',
        '__proto__',
        'constructor',
        'vaultId',
        'typedName',
        'trust',
        'failure',
        'id',
        'sealed',
        'publicKey',
        'x',
      ];
      const value = (depth: number): unknown => {
        switch (random(depth > 3 ? 7 : 10)) {
          case 0:
            return random(1_000_000) - 500_000;
          case 1:
            return 'a'.repeat(random(2000));
          case 2:
            return null;
          case 3:
            return undefined;
          case 4:
            return random(2) === 0;
          case 5:
            return new Uint8Array(random(64));
          case 6:
            return new Date(random(1_000_000));
          case 7:
            return Array.from({ length: random(6) }, () => value(depth + 1));
          default: {
            const object: Record<string, unknown> = {};
            for (let count = random(5); count >= 0; count -= 1) {
              Object.defineProperty(object, words[random(words.length)] ?? 'x', {
                value: value(depth + 1),
                enumerable: true,
                configurable: true,
                writable: true,
              });
            }
            return object;
          }
        }
      };
      const answered = new Map<string, number>();
      for (let batch = 0; batch < 20; batch += 1) {
        const answers = await Promise.all(
          Array.from({ length: 500 }, () => bridge.call(name, { random: value(0), extra: value(0) })),
        );
        for (const answer of answers) {
          const code = answer.ok ? 'ok' : (answer.error?.code ?? 'none');
          answered.set(code, (answered.get(code) ?? 0) + 1);
        }
      }
      return [...answered];
    },
    [exposedName, channel] as const,
  );
}
