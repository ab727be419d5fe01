import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ToolOutcome {
  code: number;
  output: string;
}

/** Runs one of the project's tools in the project's folder and keeps what it writes. Tools are found through PATH, which the bootstrap has set. */
export function runTool(command: string, args: readonly string[]): Promise<ToolOutcome> {
  return start(command, args, 'pipe');
}

/** The same, with the tool's output on the screen. */
export const showTool = async (command: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> =>
  (await start(command, args, 'inherit', env)).code;

function start(
  command: string,
  args: readonly string[],
  output: 'pipe' | 'inherit',
  env: Record<string, string> = {},
): Promise<ToolOutcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
    });
    let text = '';
    const keep = (chunk: Buffer): void => {
      text += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward);
    const done = (code: number): void => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, forward);
      resolve({ code, output: text });
    };
    child.once('error', (error) => {
      text += `${command}: ${error.message}\n`;
      done(1);
    });
    child.once('close', (code) => done(code ?? 1));
  });
}
