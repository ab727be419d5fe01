import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * When the process started, as the system says it; null when there is none. Together with the pid it names one process for ever: a pid alone is reused
 * after a restart of the machine.
 */
export function startMark(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold spaces; state is the first field after it, the start time the twentieth. A zombie has ended.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch (error) {
    if (process.platform === 'linux' || (error as NodeJS.ErrnoException).code !== 'ENOENT') return null;
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** Asks a process to end, and makes it after `graceMs`. Resolves when it is gone. One that is gone already is fine. */
export async function stopProcess(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const mark = startMark(pid);
  if (mark === null) return;
  const isGone = async (withinMs: number): Promise<boolean> => {
    for (let waited = 0; startMark(pid) === mark; waited += 20) {
      if (waited >= withinMs) return false;
      await wait(20);
    }
    return true;
  };
  send(pid, signal);
  if (await isGone(graceMs)) return;
  send(pid, 'SIGKILL');
  await isGone(5000);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
