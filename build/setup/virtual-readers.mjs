/** How a pcscd is started for tests: with virtual readers on ports that nobody is given by chance. */
import { fileURLToPath } from 'node:url';

export const virtualReadersPath = fileURLToPath(new URL('../../test/servers/virtual-readers.conf', import.meta.url));
export const pcscdArguments = ['--foreground', '--config', virtualReadersPath];
