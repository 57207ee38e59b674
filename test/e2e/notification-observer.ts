/**
 * Sees and clicks the app's notifications, which no daemon shows here: the prototype of Electron's own class
 * is wrapped in the running app, so that the app needs no hook for tests.
 */
import type { LaunchedApp } from './launch/launch-app.ts';

/** To be called once per app. */
export async function observeNotifications(app: LaunchedApp): Promise<void> {
  await app.inMain(({ Notification }) => {
    const shown: Electron.Notification[] = [];
    Reflect.set(globalThis, 'shownNotifications', shown);
    const show: unknown = Reflect.get(Notification.prototype, 'show');
    // Without a daemon libnotify says that it is not there.
    Reflect.set(Notification, 'isSupported', () => true);
    Reflect.set(Notification.prototype, 'show', function (this: Electron.Notification) {
      shown.push(this);
      if (typeof show === 'function') Reflect.apply(show, this, []);
    });
  });
}

/** @returns titles, in the order shown */
export async function readNotifications(app: LaunchedApp): Promise<readonly string[]> {
  return app.inMain(() =>
    (Reflect.get(globalThis, 'shownNotifications') as Electron.Notification[]).map((each) => each.title),
  );
}

/** Clicks the one that was shown last, once. */
export async function clickNotification(app: LaunchedApp): Promise<void> {
  await app.application.evaluate(() => {
    const last = (Reflect.get(globalThis, 'shownNotifications') as Electron.Notification[]).at(-1);
    if (last === undefined) throw new Error('No notification was shown.');
    last.emit('click');
  });
}
