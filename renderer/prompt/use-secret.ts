import { useEffect, useMemo, useState } from 'react';
import { SecretBuffer } from './secret-buffer.ts';

export interface Secret {
  readonly buffer: SecretBuffer;
  readonly characters: number;
  readonly changed: () => void;
  readonly wipe: () => void;
}

/** A buffer for one field, wiped when the field or the page goes away. */
export function useSecret(): Secret {
  const buffer = useMemo(() => new SecretBuffer(), []);
  const [, redraw] = useState(0);
  const changed = (): void => {
    redraw((times) => times + 1);
  };
  useEffect(() => {
    const wipe = (): void => {
      buffer.wipe();
    };
    window.addEventListener('pagehide', wipe);
    return () => {
      window.removeEventListener('pagehide', wipe);
      wipe();
    };
  }, [buffer]);
  return {
    buffer,
    characters: buffer.characters,
    changed,
    wipe: () => {
      buffer.wipe();
      changed();
    },
  };
}
