import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports CPU time in ticks of a hundredth of a second to user space, on every architecture. */
const TICKS_PER_SECOND = 100;

/** CPU seconds (user and system) that a process and its living descendants have used; children that ended count with their parent. */
export function cpuSecondsOfTree(root: number): number {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (!stat) continue;
    parents.set(Number(name), stat.parent);
    ticks.set(Number(name), stat.ticks);
  }
  const belongs = (pid: number): boolean => pid === root || (parents.has(pid) && belongs(parents.get(pid) ?? 0));
  const total = [...ticks].reduce((sum, [pid, used]) => (belongs(pid) ? sum + used : sum), 0);
  return total / TICKS_PER_SECOND;
}

function readStat(pid: string): { parent: number; ticks: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in brackets, which may hold spaces; the fields after it are numbered from 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (n: number): number => Number(fields[n - 3]);
    return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) };
  } catch {
    return null;
  }
}
