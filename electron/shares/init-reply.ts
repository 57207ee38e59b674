/**
 * Reads the values out of sys/init's reply without making strings of them: JSON.parse would leave copies
 * that cannot be wiped. The reply is one flat object of strings and lists of strings, none with escapes.
 */

export interface InitReply {
  /** Lower-case hex, 64 or 66 ASCII characters each; copies that the caller wipes. */
  readonly shares: readonly Buffer[];
  /** ASCII; a copy that the caller wipes. */
  readonly rootToken: Buffer;
}

class Malformed extends Error {}

const codes = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  backslash: 0x5c,
  open: 0x5b,
  close: 0x5d,
  begin: 0x7b,
  finish: 0x7d,
};

class Reader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  peek(): number {
    while (this.#position < this.#bytes.length && (this.#bytes[this.#position] ?? 0) <= 0x20) this.#position += 1;
    return this.#bytes[this.#position] ?? 0;
  }

  expect(code: number): void {
    if (this.peek() !== code) throw new Malformed();
    this.#position += 1;
  }

  /** A view into the reply. */
  string(): Buffer {
    this.expect(codes.quote);
    const start = this.#position;
    for (; this.#position < this.#bytes.length; this.#position += 1) {
      const byte = this.#bytes[this.#position] ?? 0;
      if (byte === codes.quote) {
        this.#position += 1;
        return this.#bytes.subarray(start, this.#position - 1);
      }
      if (byte === codes.backslash || byte < 0x20 || byte > 0x7e) throw new Malformed();
    }
    throw new Malformed();
  }

  list(close: number, item: () => void): void {
    if (this.peek() !== close) {
      item();
      while (this.peek() === codes.comma) {
        this.expect(codes.comma);
        item();
      }
    }
    this.expect(close);
  }

  strings(): Buffer[] {
    const values: Buffer[] = [];
    this.expect(codes.open);
    this.list(codes.close, () => values.push(this.string()));
    return values;
  }
}

function isShare(value: Buffer): boolean {
  return (
    (value.length === 64 || value.length === 66) &&
    value.every((byte) => (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))
  );
}

/**
 * @param body sys/init's reply; wiped before this returns
 * @param expected how many shares were asked for
 * @returns undefined where the reply is not what Vault answers
 */
export function readInitReply(body: Buffer, expected: number): InitReply | undefined {
  try {
    const reader = new Reader(body);
    let shares: readonly Buffer[] = [];
    let rootToken: Buffer = Buffer.alloc(0);
    reader.expect(codes.begin);
    reader.list(codes.finish, () => {
      const name = reader.string().toString('latin1');
      reader.expect(codes.colon);
      const values = reader.peek() === codes.open ? reader.strings() : [reader.string()];
      if (name === 'keys') shares = values;
      else if (name === 'root_token') rootToken = values[0] ?? rootToken;
    });
    if (shares.length !== expected || !shares.every(isShare)) return undefined;
    // Longest plaintext of RSA-2048 with OAEP-SHA-1 is 214 bytes.
    if (rootToken.length === 0 || rootToken.length > 214) return undefined;
    return { shares: shares.map((share) => Buffer.from(share)), rootToken: Buffer.from(rootToken) };
  } catch (cause) {
    if (cause instanceof Malformed) return undefined;
    throw cause;
  } finally {
    body.fill(0);
  }
}
