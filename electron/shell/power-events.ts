import { powerMonitor } from 'electron';
import type { AppLock, LockFacts } from './lock.ts';

/** Milliseconds. Linux tells no program that its screen was locked, so it is looked at. */
const interval = 5000;

export function systemLockFacts(lockAfterMinutes: () => number): LockFacts {
  return {
    systemIdleSeconds: () => powerMonitor.getSystemIdleTime(),
    screenLocked: () => powerMonitor.getSystemIdleState(1) === 'locked',
    lockAfterMinutes,
    now: () => performance.now(),
  };
}

/** Locks when the person leaves: idle, screen lock, suspend, shutdown, another user. */
export function followPower(lock: AppLock): () => void {
  const lockNow = (): void => {
    void lock.lock();
  };
  powerMonitor.on('suspend', lockNow);
  powerMonitor.on('lock-screen', lockNow);
  powerMonitor.on('shutdown', lockNow);
  powerMonitor.on('user-did-resign-active', lockNow);
  const timer = setInterval(() => {
    lock.check();
  }, interval);
  return () => {
    clearInterval(timer);
    powerMonitor.removeListener('suspend', lockNow);
    powerMonitor.removeListener('lock-screen', lockNow);
    powerMonitor.removeListener('shutdown', lockNow);
    powerMonitor.removeListener('user-did-resign-active', lockNow);
  };
}
