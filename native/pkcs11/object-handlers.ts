import { secretPurpose } from '../../electron/sealing/schema.ts';
import { success } from '../../electron/workflows/failures.ts';
import { handler, withSecret, type Handler, type HostParts } from '../handler.ts';
import { readCertificate, storeCertificate } from './certificates.ts';
import { changePin, resetPin } from './change-pin.ts';
import { readDataOf } from './data-objects.ts';
import { deleteObject } from './delete-objects.ts';
import { findPublicKey } from './key-objects.ts';
import { testKey } from './key-test.ts';
import { listAllObjects } from './list-all-objects.ts';
import { objectRequests } from './object-protocol.ts';
import { withSession } from './sessions.ts';
import { checkValue, rewrapValue } from './values.ts';
import { readWrappingAbility } from './wrapping-ability.ts';

type ObjectMethod = keyof typeof objectRequests;

/** What the PINs of a change must have been sealed for. */
const pinPurposes = {
  user: { current: secretPurpose.pin, replacement: secretPurpose.newPin },
  so: { current: secretPurpose.soPin, replacement: secretPurpose.newSoPin },
} as const;

/** What the token host answers about everything that lies on a token; see `object-protocol.ts`. */
export function createObjectHandlers({ opener, withModule }: HostParts): Readonly<Record<ObjectMethod, Handler>> {
  return {
    'objects.list': handler(objectRequests['objects.list'], ({ serial }) =>
      withModule((module) => listAllObjects(module, serial)),
    ),
    'objects.export-public-key': handler(objectRequests['objects.export-public-key'], ({ serial, id, label }) =>
      withModule((module) =>
        withSession(module, serial, (session) => {
          const key = findPublicKey(module, session, { id, label });
          if (!key.ok) return key;
          const { spki, sha256, kind } = key.value;
          return success({ publicKeySpki: spki.toString('base64'), publicKeySha256: sha256, kind });
        }),
      ),
    ),
    'objects.store-certificate': handler(
      objectRequests['objects.store-certificate'],
      ({ serial, certificate, label, id }) =>
        withModule((module) =>
          storeCertificate(module, serial, { certificate: Buffer.from(certificate, 'base64'), label, id }),
        ),
    ),
    'objects.read-certificate': handler(objectRequests['objects.read-certificate'], ({ serial, label, id, sha256 }) =>
      withModule((module) => {
        const read = readCertificate(module, serial, { label, id, sha256 });
        return read.ok ? success({ certificate: read.value.toString('base64') }) : read;
      }),
    ),
    'objects.delete': handler(objectRequests['objects.delete'], ({ serial, ...object }) =>
      withModule((module) => deleteObject(module, serial, object)),
    ),
    'keys.test': handler(objectRequests['keys.test'], ({ serial, id, label }) =>
      withModule((module) => testKey(module, serial, { id, label })),
    ),
    'token.wrapping-ability': handler(objectRequests['token.wrapping-ability'], ({ serial, keyLabel }) =>
      withModule((module) => readWrappingAbility(module, serial, keyLabel)),
    ),
    'token.change-pin': handler(
      objectRequests['token.change-pin'],
      ({ serial, role, current, replacement, consentToLastTry }) =>
        withSecret(opener, current, pinPurposes[role].current(serial), (currentPin) =>
          withSecret(opener, replacement, pinPurposes[role].replacement(serial), (newPin) =>
            withModule((module) =>
              changePin(module, serial, { role, current: currentPin, replacement: newPin, consentToLastTry }),
            ),
          ),
        ),
    ),
    'token.reset-pin': handler(objectRequests['token.reset-pin'], ({ serial, soPin, newPin }) =>
      withSecret(opener, soPin, secretPurpose.soPin(serial), (soPinBytes) =>
        withSecret(opener, newPin, secretPurpose.newPin(serial), (newPinBytes) =>
          withModule((module) => resetPin(module, serial, { soPin: soPinBytes, newPin: newPinBytes })),
        ),
      ),
    ),
    'values.rewrap': handler(objectRequests['values.rewrap'], ({ serial, label, sha256, fromKeyLabel, toKeyLabel }) =>
      withModule((module) => rewrapValue(module, serial, { label, sha256 }, { fromKeyLabel, toKeyLabel })),
    ),
    'values.check': handler(objectRequests['values.check'], ({ serial, label, sha256, keyLabel }) =>
      withModule((module) => checkValue(module, serial, { label, sha256 }, keyLabel)),
    ),
    'values.read': handler(objectRequests['values.read'], ({ serial, label, sha256 }) =>
      withModule((module) => {
        const read = readDataOf(module, serial, { label, sha256 });
        return read.ok ? success({ value: read.value.value.toString('base64') }) : read;
      }),
    ),
  };
}
