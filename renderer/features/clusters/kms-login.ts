/** How a KMS plugin logs in to Vault: the choice, and the mount that goes along with it. */
import { text } from '../../text/en.ts';
import { textAt, withValue, type RecipeForm } from './recipe-form.ts';

const words = text.recipes.fields;

/** In the order in which they are offered, each with the mount that it usually has. */
export const logIns = [
  { value: 'service-account', title: words.loginServiceAccount, mount: 'kubernetes' },
  { value: 'certificate', title: words.loginCertificate, mount: 'cert' },
  { value: 'approle', title: words.loginAppRole, mount: 'approle' },
] as const;
export type LogIn = (typeof logIns)[number]['value'];

export function logInOf(form: RecipeForm): LogIn {
  const asked = textAt(form, 'backend.login');
  return logIns.find(({ value }) => value === asked)?.value ?? 'service-account';
}

/** Another way to log in, with the mount that it usually has where the one that is there is another way's usual one. */
export function withLogin(form: RecipeForm, login: string): RecipeForm {
  const changed = withValue(form, 'backend.login', login);
  const wanted = logIns.find(({ value }) => value === login);
  const isUsual = logIns.some(({ mount }) => mount === textAt(form, 'backend.authMount'));
  return wanted !== undefined && isUsual ? withValue(changed, 'backend.authMount', wanted.mount) : changed;
}
