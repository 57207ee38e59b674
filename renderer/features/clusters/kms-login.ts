/** How a KMS plugin logs in to Vault: the choice, and the mount that goes along with it. */
import { text } from '../../text/en.ts';
import { textAt, withValue, type RecipeForm } from './recipe-form.ts';

const words = text.recipes.fields;

/** In the order in which they are offered. */
export const logIns = [
  { value: 'service-account', title: words.loginServiceAccount },
  { value: 'certificate', title: words.loginCertificate },
  { value: 'approle', title: words.loginAppRole },
] as const;
export type LogIn = (typeof logIns)[number]['value'];

const usualMounts: ReadonlyMap<string, string> = new Map<LogIn, string>([
  ['service-account', 'kubernetes'],
  ['certificate', 'cert'],
  ['approle', 'approle'],
]);

export function logInOf(form: RecipeForm): LogIn {
  const asked = textAt(form, 'backend.login');
  return logIns.find(({ value }) => value === asked)?.value ?? 'service-account';
}

/** Another way to log in, with the mount that it usually has where the one that is there is another way's usual one. */
export function withLogin(form: RecipeForm, login: string): RecipeForm {
  const changed = withValue(form, 'backend.login', login);
  const mount = usualMounts.get(login);
  const isUsual = [...usualMounts.values()].includes(textAt(form, 'backend.authMount'));
  return mount !== undefined && isUsual ? withValue(changed, 'backend.authMount', mount) : changed;
}
