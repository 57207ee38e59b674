import { useEffect, useMemo } from 'react';

/** The one secret that this window holds while it is shown and typed back; wiped with the page. */
export class ShownSecret {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** @param bytes belongs to this object from here on */
  take(bytes: Uint8Array<ArrayBuffer>): void {
    this.wipe();
    this.bytes = bytes;
  }
  wipe(): void {
    this.bytes.fill(0);
    this.bytes = new Uint8Array(0);
  }
}

export function useShownSecret(): ShownSecret {
  const shown = useMemo(() => new ShownSecret(), []);
  useEffect(() => {
    const wipe = (): void => {
      shown.wipe();
    };
    window.addEventListener('pagehide', wipe);
    return () => {
      window.removeEventListener('pagehide', wipe);
      wipe();
    };
  }, [shown]);
  return shown;
}
