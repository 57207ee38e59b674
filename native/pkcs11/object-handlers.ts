import { handler, type Handler, type HostParts } from '../handler.ts';
import { objectRequests } from './object-protocol.ts';
import { checkValue } from './values.ts';

type ObjectMethod = keyof typeof objectRequests;

/** What the token host answers about everything that lies on a token; see `object-protocol.ts`. */
export function createObjectHandlers({ withModule }: HostParts): Readonly<Partial<Record<ObjectMethod, Handler>>> {
  return {
    'values.check': handler(objectRequests['values.check'], ({ serial, label, sha256, keyLabel }) =>
      withModule((module) => checkValue(module, serial, { label, sha256 }, keyLabel)),
    ),
  };
}
