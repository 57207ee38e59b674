/**
 * Holds what is typed into a prompt as UTF-8 bytes in one fixed buffer. The DOM shows bullets only; no
 * string with the whole secret is ever made. Wiped on submit, cancel and when the page goes away.
 */
export const secretCapacity = 256;

export class SecretBuffer {
  readonly #bytes = new Uint8Array(new ArrayBuffer(secretCapacity));
  #length = 0;
  #characters = 0;

  /** Characters (code points) typed so far. */
  get characters(): number {
    return this.#characters;
  }

  /** UTF-8 bytes so far: what a token counts as the length of a PIN. */
  get byteLength(): number {
    return this.#length;
  }

  /**
   * Appends what one key press gave (usually one character; a dead key may give two).
   * @returns false where it does not fit; nothing is appended then
   */
  append(text: string): boolean {
    const before = this.#length;
    const { read, written } = new TextEncoder().encodeInto(text, this.#bytes.subarray(this.#length));
    if (read < text.length) {
      this.#bytes.fill(0, before);
      return false;
    }
    this.#length += written;
    this.#characters = this.#countCharacters();
    return true;
  }

  /** Removes the last character, all of its UTF-8 bytes. */
  removeLast(): void {
    while (this.#length > 0) {
      this.#length -= 1;
      const byte = this.#bytes[this.#length] ?? 0;
      this.#bytes[this.#length] = 0;
      // 10xxxxxx continues a character; anything else begins one (RFC 3629, section 3).
      if ((byte & 0xc0) !== 0x80) break;
    }
    this.#characters = this.#countCharacters();
  }

  /** The bytes in a buffer of their own; this one is wiped. The caller wipes what it gets. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.wipe();
    return taken;
  }

  /** A view for reading only, valid until the next change. Never kept. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
    this.#characters = 0;
  }

  #countCharacters(): number {
    let count = 0;
    for (let index = 0; index < this.#length; index += 1) {
      if (((this.#bytes[index] ?? 0) & 0xc0) !== 0x80) count += 1;
    }
    return count;
  }
}

/** Compares without an early end, so that the time taken says nothing about where two secrets differ. */
export function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  const longest = Math.max(left.length, right.length);
  for (let index = 0; index < longest; index += 1) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
