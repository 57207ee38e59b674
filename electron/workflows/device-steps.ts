/** Steps that set a SmartCard-HSM up: DKEK shares, initialisation, import. Of a token set-up and of a drill with a reset. */
import type { DeviceChoices, DkekProtection, TokenOfPlan } from './device-plans.ts';
import type { Actor, StepDefinition } from './run.ts';
import { deviceWords, namesInWords } from './words-device.ts';

const administrator: Actor = { role: 'administrator' };
const custodian = (name: string): Actor => ({ role: 'custodian', name });

/** The name of a DKEK share's file in the run's outbox. @param index from 0 */
export const shareFileName = (index: number): string => `dkek-share-${(index + 1).toString()}.pbe`;

/** Who acts where one password or several pieces are typed. */
const openers = (protection: DkekProtection): Actor =>
  custodian(protection.kind === 'password' ? protection.custodian : namesInWords(protection.custodians));

const sharesOf = (choices: DeviceChoices) => (choices.dkek.kind === 'shares' ? choices.dkek.shares : []);

/**
 * Makes the new DKEK share files and hands their pieces out. Needs no device, so it comes before anything is
 * erased: when a custodian does not get a piece, nothing is lost yet.
 */
export function shareCreationSteps(device: TokenOfPlan, choices: DeviceChoices): readonly StepDefinition[] {
  const shares = sharesOf(choices);
  return shares.flatMap((share, index): readonly StepDefinition[] => {
    if (share.source === 'file') return [];
    const number = index + 1;
    const create = `share-${number.toString()}-create`;
    const { protection } = share;
    const text = deviceWords.createShare;
    const created: StepDefinition = {
      id: create,
      title: text.title(number, shares.length),
      actor: protection.kind === 'password' ? custodian(protection.custodian) : administrator,
      explanation:
        protection.kind === 'password'
          ? text.withPassword(protection.custodian)
          : text.split(protection.threshold, protection.custodians),
      pace: protection.kind === 'password' ? 'prompt' : 'deliberate',
      action: text.action,
      needs: [],
      effect: { kind: 'dkek.create-share', device, index, share },
      records: ['file', 'fileSha256'],
    };
    if (protection.kind === 'password') return [created];
    return [
      created,
      ...protection.custodians.map((name, pieceIndex): StepDefinition => ({
        id: `share-${number.toString()}-piece-${(pieceIndex + 1).toString()}`,
        title: deviceWords.handOutPiece.title(number, pieceIndex + 1, name),
        actor: custodian(name),
        explanation: deviceWords.handOutPiece.explanation(name),
        pace: 'prompt',
        action: deviceWords.handOutPiece.action,
        needs: [create],
        effect: {
          kind: 'dkek.hand-out-piece',
          device,
          shareIndex: index,
          pieceIndex,
          threshold: protection.threshold,
          custodians: protection.custodians,
        },
        records: ['custodian', 'typedBack'],
      })),
    ];
  });
}

/** Erases the device and sets all that was chosen. */
export function initializeStep(
  device: TokenOfPlan,
  label: string,
  choices: DeviceChoices,
  danger: { readonly title: string; readonly typedName: string; readonly losses: readonly string[] },
  needs: readonly string[],
): StepDefinition {
  const { soPinHolder, pinHolder } = choices;
  return {
    id: 'initialize',
    title: danger.title,
    actor: custodian(namesInWords([...new Set([soPinHolder, pinHolder])])),
    explanation: deviceWords.initialize.explanation(label, choices),
    pace: 'prompt',
    action: deviceWords.initialize.action,
    danger: { typedName: danger.typedName, losses: danger.losses },
    needs,
    effect: { kind: 'device.initialize', device, label, choices },
    records: ['serial', 'tokenLabel', 'firmwareVersion', 'dkek', 'keyCheckValue', 'keyCheckWords'],
  };
}

/** Opens every share file while the device still has what they are to bring back. */
export function openSharesSteps(
  device: TokenOfPlan,
  choices: DeviceChoices,
  needs: readonly string[],
): readonly StepDefinition[] {
  const shares = sharesOf(choices);
  if (shares.length === 0) return [];
  const text = deviceWords.drill.open;
  return [
    {
      id: 'open-shares',
      title: text.title,
      actor: administrator,
      explanation: text.explanation,
      pace: 'prompt',
      action: text.action,
      needs,
      effect: { kind: 'dkek.open-shares', device, shares },
      records: ['sharesOpened', 'keyCheckValue'],
    },
  ];
}

/** Imports every share; the last one completes the DKEK. */
export function shareImportSteps(
  device: TokenOfPlan,
  choices: DeviceChoices,
  expectedKeyCheckValue: string,
): readonly StepDefinition[] {
  const shares = sharesOf(choices);
  const text = deviceWords.importShare;
  return shares.map((share, index): StepDefinition => {
    const { protection } = share;
    const isLast = index === shares.length - 1;
    return {
      id: `share-${(index + 1).toString()}-import`,
      title: text.title(index + 1, shares.length),
      actor: openers(protection),
      explanation:
        (protection.kind === 'password'
          ? text.withPassword(protection.custodian)
          : text.split(protection.threshold, protection.custodians)) + (isLast ? text.last(expectedKeyCheckValue) : ''),
      pace: 'prompt',
      action: text.action,
      needs: ['initialize'],
      effect: {
        kind: 'dkek.import-share',
        device,
        index,
        count: shares.length,
        share,
        expectedKeyCheckValue: isLast ? expectedKeyCheckValue : '',
      },
      records: isLast ? ['sharesImported', 'keyCheckValue', 'keyCheckWords'] : ['sharesImported', 'sharesOutstanding'],
    };
  });
}

/** The user's login on a device that is named, where a run works with two. */
export function deviceLogInStep(
  id: string,
  device: TokenOfPlan,
  act: string,
  needs: readonly string[],
): StepDefinition {
  return {
    id,
    title: deviceWords.logIn.title(device.label),
    actor: administrator,
    explanation: deviceWords.logIn.explanation,
    pace: 'prompt',
    action: deviceWords.logIn.action,
    needs,
    effect: { kind: 'token.log-in', storeId: device.storeId, serial: device.serial, tokenLabel: device.label, act },
    records: ['serial'],
  };
}

/** What was chosen, as rows of a transcript. */
export function choicesInWords(choices: DeviceChoices): readonly (readonly [string, string])[] {
  const { dkek } = choices;
  const protectionInWords = (protection: DkekProtection): string =>
    protection.kind === 'password'
      ? `password of ${protection.custodian}`
      : `${protection.threshold.toString()} of the pieces of ${namesInWords(protection.custodians)}`;
  return [
    ['SO-PIN kept by', choices.soPinHolder],
    ['PIN kept by', choices.pinHolder],
    ['PIN tries', choices.retryLimit.toString()],
    ['With the SO-PIN', choices.allowPinResetWithSoPin ? 'a new PIN can be set' : 'the PIN can be unblocked only'],
    [
      'DKEK',
      dkek.kind === 'none'
        ? 'none: no backup, ever'
        : dkek.kind === 'random'
          ? 'random, on this device alone'
          : `${dkek.shares.length.toString()} ${dkek.shares.length === 1 ? 'share' : 'shares'}`,
    ],
    ...sharesOf(choices).map(({ source, protection }, index): readonly [string, string] => [
      `DKEK share ${(index + 1).toString()}`,
      `${source === 'new' ? 'new' : 'from a file'}, ${protectionInWords(protection)}`,
    ]),
  ];
}
