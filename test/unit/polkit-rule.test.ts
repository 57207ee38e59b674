/** The .deb's polkit rule: card readers for the KMS provider's user, and nothing else for nobody else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';

const systemd = join(import.meta.dirname, '../../build/systemd');
type Subject = { readonly user: string; readonly isInGroup?: (group: string) => boolean };
type Rule = (action: { readonly id: string }, subject: Subject) => string | undefined;

/** As polkit reads it (polkit(8), “Authorization rules”): one that returns not_handled leaves the answer to others. */
function ruleOf(text: string): Rule {
  const rules: Rule[] = [];
  const polkit = { addRule: (rule: Rule) => rules.push(rule), Result: { YES: 'yes', NOT_HANDLED: 'not_handled' } };
  // Duktape, with which polkit is built nowadays, reads ECMAScript 5.
  expect(text.replaceAll(/^\s*\/\/.*$/gmu, '')).not.toMatch(/=>|\b(?:const|let|class)\b|`|\?\./u);
  runInNewContext(text, { polkit });
  const [rule, ...others] = rules;
  if (rule === undefined || others.length > 0) throw new Error('One rule was expected.');
  return rule;
}

const readRule = async (): Promise<Rule> => ruleOf(await readFile(join(systemd, 'key-custodian-kms.rules'), 'utf8'));

it('allows the user whom the unit runs as, and whom sysusers makes', async () => {
  const rule = await readRule();
  const unit = await readFile(join(systemd, 'key-custodian-kms.service'), 'utf8');
  const user = /^User=(.+)$/mu.exec(unit)?.[1] ?? '';
  expect(await readFile(join(systemd, 'key-custodian-kms.sysusers'), 'utf8')).toContain(`u ${user} `);
  for (const id of ['access_pcsc', 'access_card'])
    expect(rule({ id: `org.debian.pcsc-lite.${id}` }, { user })).toBe('yes');
});

it.each([
  ['org.debian.pcsc-lite.access_pcsc', 'somebody'],
  ['org.debian.pcsc-lite.access_card', 'key-custodian-kms2'],
  ['org.freedesktop.systemd1.manage-units', 'key-custodian-kms'],
  ['org.debian.pcsc-lite.access_pcsc.other', 'key-custodian-kms'],
  ['', ''],
])('leaves %s by %s to others', async (id, user) => {
  expect((await readRule())({ id }, { user })).toBe('not_handled');
});

it('the README’s rule for SSH allows the group that it names', async () => {
  const readme = await readFile(join(systemd, '../../README.md'), 'utf8');
  const rule = ruleOf(/^```js\n(polkit\.addRule.*?)^```/msu.exec(readme)?.[1] ?? '');
  const member = { user: 'ada', isInGroup: (group: string) => group === 'custodians' };
  expect(rule({ id: 'org.debian.pcsc-lite.access_card' }, member)).toBe('yes');
  expect(rule({ id: 'org.debian.pcsc-lite.access_card' }, { ...member, isInGroup: () => false })).toBeUndefined();
  expect(rule({ id: 'org.freedesktop.login1.reboot' }, member)).toBeUndefined();
});
