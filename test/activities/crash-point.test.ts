import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeReach } from '../../activities/crash-point.ts';

describe('crash points', () => {
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
  afterEach(() => kill.mockClear());

  it('do nothing unless the setting names one', () => {
    makeReach({})('issue-invoice:recorded');
    makeReach({ PERENNIAL_CRASH_AT: '' })('issue-invoice:recorded');
    makeReach({ PERENNIAL_CRASH_AT: 'issue-invoice:loaded' })('issue-invoice:recorded');
    expect(kill).not.toHaveBeenCalled();
  });

  it('end the process with SIGKILL at the first reach', () => {
    makeReach({ PERENNIAL_CRASH_AT: 'issue-invoice:recorded' })('issue-invoice:recorded');
    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGKILL');
  });

  it('count the reaches where told to', () => {
    const reach = makeReach({ PERENNIAL_CRASH_AT: 'collect-payment:charged:3' });
    for (const point of ['collect-payment:charged', 'collect-payment:intent', 'collect-payment:charged']) reach(point);
    expect(kill).not.toHaveBeenCalled();
    reach('collect-payment:charged');
    expect(kill).toHaveBeenCalledOnce();
  });

  it.each(['issue-invoice', 'issue-invoice:recorded:0', 'a:b:c', 'issue-invoice:recorded:'])(
    'refuse the malformed setting %s',
    (setting) => {
      expect(() => makeReach({ PERENNIAL_CRASH_AT: setting })).toThrow(/must read like/);
    },
  );

  it('are refused in production', () => {
    expect(() => makeReach({ PERENNIAL_CRASH_AT: 'a:b', NODE_ENV: 'production' })).toThrow(/production/);
  });
});
