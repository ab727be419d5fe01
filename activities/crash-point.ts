/** Says that a named point was reached, for example `issue-invoice:recorded`. Returns, or the process is gone. */
export type Reach = (point: string) => void;

/**
 * Crash points, by verb: `<verb>:loaded` (snapshot read and locked), `:decided`, `:recorded` (all rows written, not committed),
 * `:committed` (committed, not yet reported to Temporal); `collect-payment` names its own (`:intent`, `:charged`, …).
 *
 * PERENNIAL_CRASH_AT=`<verb>:<point>[:n]` ends the process with SIGKILL when the point is reached for the n-th time (default: the first), as a
 * power cut would: nothing is flushed, rolled back or reported. Unset, every point is a call of an empty function.
 * @throws Error where the setting is malformed, or where NODE_ENV is `production`: a live process never has a crash point.
 */
export function makeReach(env: Readonly<Record<string, string | undefined>>): Reach {
  const setting = env.PERENNIAL_CRASH_AT;
  if (setting === undefined || setting === '') return () => {};
  if (env.NODE_ENV === 'production') throw new Error('PERENNIAL_CRASH_AT is for crash tests; unset it where NODE_ENV is production.');
  const match = /^([a-z-]+:[a-z-]+)(?::([1-9]\d{0,5}))?$/.exec(setting);
  if (!match) throw new Error(`PERENNIAL_CRASH_AT must read like issue-invoice:recorded or issue-invoice:recorded:3, not ${setting}.`);
  const wanted = match[1];
  let left = Number(match[2] ?? '1');
  return (point) => {
    if (point !== wanted) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
