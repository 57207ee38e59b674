/**
 * The smart card service for the end-to-end tests, which run as an ordinary user and reach a pcscd that root
 * started; its readers are virtual ones (vsmartcard-vpcd).
 */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isRoot, SetupError } from './commands.mjs';
import { compileNoDelay } from './no-delay.mjs';
import { pcscdArguments } from './virtual-readers.mjs';

const socketPath = '/run/pcscd/pcscd.comm';

function answers() {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const end = (outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/**
 * Starts pcscd where none runs.
 * @returns ends what was started
 */
export async function startCardService() {
  if (await answers()) return async () => undefined;
  const preloaded = await compileNoDelay();
  // sudo passes no LD_PRELOAD on by itself.
  const command = ['env', `LD_PRELOAD=${preloaded.path}`, '/usr/sbin/pcscd', ...pcscdArguments];
  const [program, ...rest] = [...(isRoot ? [] : ['sudo', '-n']), ...command];
  const child = spawn(program, rest, { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  try {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await answers())
        return async () => {
          child.kill('SIGTERM');
          await ended;
        };
      await delay(50);
    }
  } finally {
    await preloaded.remove();
  }
  child.kill('SIGKILL');
  throw new SetupError('pcscd, the smart card service, does not start; the tests with a card need it.');
}
