import { app } from 'electron';

/**
 * One copy of the app per data folder. The loser must return before it initialises anything.
 * @param onSecondLaunch told when someone starts the app again; `hidden` where that one asked for the tray only
 * @returns whether this process is the one
 */
export function becomeSingleInstance(onSecondLaunch: (launch: { readonly hidden: boolean }) => void): boolean {
  if (!app.requestSingleInstanceLock()) return false;
  app.on('second-instance', (_event, argumentList) => {
    onSecondLaunch({ hidden: argumentList.includes('--hidden') });
  });
  return true;
}
