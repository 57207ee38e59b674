/** Checks for a server that is being added. Pure. */
import { text } from '../../text/en.ts';

const words = text.vaults.dialog;

export interface AddVaultForm {
  readonly name: string;
  /** One address per line. */
  readonly addresses: string;
  readonly trust: 'system' | 'ca-file' | 'pinned';
  readonly caPath: string;
  readonly certificateSha256: string;
  readonly compared: boolean;
}

export type AddVaultErrors = Readonly<Partial<Record<'name' | 'addresses' | 'trust', string>>>;

export function addressLines(addresses: string): readonly string[] {
  return addresses
    .split(/[\s,]+/u)
    .map((line) => line.trim().replace(/\/+$/u, ''))
    .filter((line) => line !== '');
}

/** Plain http is taken for loopback only, where no network can listen. */
function addressProblem(line: string): string | undefined {
  if (!URL.canParse(line)) return words.addressInvalid(line);
  const { protocol, hostname } = new URL(line);
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return words.addressInvalid(line);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./u.test(hostname)
    ? undefined
    : words.addressPlain(line);
}

export function checkAddVault(form: AddVaultForm): AddVaultErrors {
  const errors: { -readonly [Field in keyof AddVaultErrors]: string } = {};
  if (form.name.trim() === '') errors.name = words.nameMissing;
  const lines = addressLines(form.addresses);
  const doubled = lines.find((line, index) => lines.indexOf(line) !== index);
  const problem = lines.map(addressProblem).find((found) => found !== undefined);
  if (lines.length === 0) errors.addresses = words.addressMissing;
  else if (problem !== undefined) errors.addresses = problem;
  else if (doubled !== undefined) errors.addresses = words.addressDoubled(doubled);
  if (form.trust === 'ca-file' && form.caPath === '') errors.trust = words.caMissing;
  if (form.trust === 'pinned' && (!/^[0-9a-f]{64}$/u.test(form.certificateSha256) || !form.compared))
    errors.trust = words.pinMissing;
  return errors;
}
