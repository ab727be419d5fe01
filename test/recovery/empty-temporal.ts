import { inject } from 'vitest';
import { startTemporal, type TemporalServer } from '../../servers/temporal.ts';

/** A Temporal that knows of nothing. */
export const emptyTemporal = (): Promise<TemporalServer> =>
  startTemporal({ binary: inject('temporalPath'), dbFile: null, namespace: 'default', fastTimers: true });
