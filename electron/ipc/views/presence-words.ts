/**
 * What is said about a device that is plugged in and is no token: what happened, what to do, and the commands
 * for it on Debian, with Fedora's where they differ. Commands are for Linux; elsewhere the system brings PC/SC along.
 */
import type { PresenceProblemView } from '../../contract/views.ts';

const lines = (...commands: readonly string[]): string => commands.join('\n');

/** Where the two distributions differ, each block says whose it is. */
const perDistribution = (debian: readonly string[], fedora: readonly string[]): string =>
  lines('# Debian, Ubuntu', ...debian, '# Fedora', ...fedora);

const startService = 'sudo systemctl enable --now pcscd.socket';
const restartService = 'sudo systemctl restart pcscd.socket pcscd.service';

export function pcscdNotRunning(device: string): PresenceProblemView {
  return {
    kind: 'pcscd-not-running',
    title: 'The card service is not running',
    text: `${device} is plugged in, but pcscd, the service through which programs reach cards, does not run.`,
    next: 'Install and start it. The device shows by itself then.',
    commands: perDistribution(
      ['sudo apt install pcscd libccid', startService],
      ['sudo dnf install pcsc-lite pcsc-lite-ccid', startService],
    ),
  };
}

export function pcscLibraryMissing(device: string): PresenceProblemView {
  return {
    kind: 'pcsc-library-missing',
    title: 'The card service is not installed',
    text: `${device} is plugged in, but the PC/SC library, through which programs reach cards, is not on this machine.`,
    next: 'Install it and pcscd, then start this app again.',
    commands: perDistribution(
      ['sudo apt install pcscd libccid libpcsclite1', startService],
      ['sudo dnf install pcsc-lite pcsc-lite-libs pcsc-lite-ccid', startService],
    ),
  };
}

/** polkit's actions of pcsc-lite bear Debian's name everywhere (pcsc-lite, doc/org.debian.pcsc-lite.policy). */
const polkitRule = lines(
  `sudo tee /etc/polkit-1/rules.d/90-smart-cards.rules <<'RULE'`,
  'polkit.addRule(function (action, subject) {',
  '  if (action.id.indexOf("org.debian.pcsc-lite.access_") === 0 && subject.isInGroup("plugdev"))',
  '    return polkit.Result.YES;',
  '});',
  'RULE',
  'sudo groupadd --force plugdev',
  'sudo usermod --append --groups plugdev "$USER"',
);

export function pcscdNotPermitted(): PresenceProblemView {
  return {
    kind: 'pcscd-not-permitted',
    title: 'The card service refuses this user',
    text: 'pcscd runs, but polkit lets only people who are logged in at the machine itself use cards: not over SSH, and no services.',
    next: 'Log in at the machine itself, or allow a group to use cards and log in again.',
    commands: polkitRule,
  };
}

export function pcscFailed(): PresenceProblemView {
  return {
    kind: 'unresponsive',
    title: 'The card service does not answer',
    text: 'pcscd was reached, but asking it for readers failed.',
    next: 'Restart it, and plug the device in again.',
    commands: restartService,
  };
}

export function heldByScdaemon(device: string): PresenceProblemView {
  return {
    kind: 'held-by-scdaemon',
    title: `GnuPG holds ${device}`,
    text: 'scdaemon, GnuPG’s program for cards, has taken the reader for itself. It does so as soon as gpg or an SSH agent has looked for a card.',
    next: 'Tell it to share (GnuPG 2.2.28 or later), and end it. It starts again by itself when gpg needs it.',
    commands: lines(`printf 'disable-ccid\\npcsc-shared\\n' >> ~/.gnupg/scdaemon.conf`, 'gpgconf --kill scdaemon'),
  };
}

export function readerInExclusiveUse(device: string, holder: string): PresenceProblemView {
  return {
    kind: 'reader-in-exclusive-use',
    title: `Another program uses ${device} alone`,
    text:
      holder === ''
        ? 'A program has opened the card for itself, so nobody else can ask it anything.'
        : `${holder} has opened the card for itself, so nobody else can ask it anything.`,
    next: 'Close that program, or wait until it is done. The device shows by itself then.',
    commands: '',
  };
}

export function moduleMissing(device: string): PresenceProblemView {
  return {
    kind: 'module-missing',
    title: 'OpenSC is not installed',
    text: `${device} is in a reader, but there is no PKCS#11 library on this machine that speaks to it.`,
    next: 'Install OpenSC and start this app again; or, where it lies in a place of its own, add opensc-pkcs11.so as a module.',
    commands: perDistribution(['sudo apt install opensc opensc-pkcs11'], ['sudo dnf install opensc']),
  };
}

export function noUsbPermission(): PresenceProblemView {
  return {
    kind: 'no-usb-permission',
    title: 'This user may not look at USB',
    text: 'The USB bus could not be read, and pcscd lists no reader, so nobody can say whether a device is plugged in.',
    next: 'Allow it with a udev rule, and plug the device in again.',
    commands: lines(
      `echo 'SUBSYSTEM=="usb", ATTRS{idVendor}=="20a0", ATTRS{idProduct}=="4230", TAG+="uaccess"' | sudo tee /etc/udev/rules.d/70-nitrokey-hsm.rules`,
      'sudo udevadm control --reload-rules',
      'sudo udevadm trigger --subsystem-match=usb',
    ),
  };
}

/** By the names that `native/usb/known-devices.ts` gives. */
const purposes: readonly (readonly [RegExp, string])[] = [
  [/FIDO|Passkey/iu, 'It keeps sign-in keys for web sites and has no PKCS#11 keys.'],
  [
    /Pro|Storage|Start|Crypto Stick/iu,
    'It is an OpenPGP card, for mail and SSH keys; it cannot hold unseal keys the way an HSM does.',
  ],
  [/Nitrokey 3/iu, 'It keeps sign-in keys and an OpenPGP card; it is no SmartCard-HSM.'],
];

export function notAnHsm(name: string): PresenceProblemView {
  const purpose = purposes.find(([pattern]) => pattern.test(name))?.[1] ?? 'It is no SmartCard-HSM.';
  return {
    kind: 'not-an-hsm',
    title: `${name} is not a Nitrokey HSM`,
    text: purpose,
    next: 'Leave it plugged in if you like: this app does not touch it. For unseal keys, plug in a Nitrokey HSM 2.',
    commands: '',
  };
}

export function cardDoesNotAnswer(device: string): PresenceProblemView {
  return {
    kind: 'unresponsive',
    title: `${device} does not answer`,
    text: 'Its reader is there, but the card in it does not answer.',
    next: 'Unplug it, wait a few seconds and plug it in again, at another port if need be.',
    commands: restartService,
  };
}

/** @param why the failure that the module's store shows, '' for none */
export function notListedByModule(device: string, why: string): PresenceProblemView {
  return {
    kind: 'unresponsive',
    title: `${device} is in a reader but not among the tokens`,
    text: why === '' ? 'pcscd sees its card, but OpenSC does not list it.' : `pcscd sees its card. ${why}`,
    next: 'Refresh. Where it stays away, unplug the device and plug it in again.',
    commands: '',
  };
}

export function notListedByPcscd(device: string): PresenceProblemView {
  return {
    kind: 'unresponsive',
    title: `${device} is on USB but not among the readers`,
    text: 'pcscd runs but does not list it: its driver is missing, or the device was busy when pcscd looked.',
    next: 'Install the driver, restart the card service, and plug the device in again.',
    commands: perDistribution(
      ['sudo apt install libccid', restartService],
      ['sudo dnf install pcsc-lite-ccid', restartService],
    ),
  };
}
