import { createServer } from 'node:net';
import { SetupError } from '../config/setup-error.ts';
import { portHolder } from './port-holder.ts';

/** A port of this machine that nobody listens on now. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  return listenBriefly(0, host);
}

/**
 * Makes sure that a port can be listened on.
 * @param setting the name of the setting that changes it, for the message
 * @throws SetupError when it is taken or not allowed
 */
export async function checkPort(setting: string, port: number, host: string): Promise<void> {
  try {
    await listenBriefly(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      const holder = portHolder(port);
      throw new SetupError(
        `Port ${port} (${setting}) is busy${holder ? ` with ${holder}` : ''}: stop what listens there, or choose another, e.g. ${setting}=${await freePort()}`,
      );
    }
    if (code === 'EACCES') throw new SetupError(`Port ${port} (${setting}) is not allowed for this user: set ${setting} to one above 1024`);
    throw new SetupError(`HOST ${host} cannot be listened on (${code}): give an address of this machine, e.g. HOST=127.0.0.1`);
  }
}

function listenBriefly(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}
