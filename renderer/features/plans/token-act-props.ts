import type { ReactNode } from 'react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import type { TrailStep } from '../../ui/Trail.tsx';

/** What every plan page of a token is given. */
export interface TokenActProps {
  readonly view: AppView;
  readonly token: TokenView;
  /** What on the token it is about: a key's or value's label, a PIN act; '' for none. */
  readonly subject: string;
  readonly trail: readonly TrailStep[];
  readonly marks: ReactNode;
}
