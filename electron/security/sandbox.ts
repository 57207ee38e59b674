import { app } from 'electron';

/** Every renderer is sandboxed, whatever its window asks for. Before the app is ready. */
export function enforceSandbox(): void {
  app.enableSandbox();
}
