import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/**
 * Heartbeats for every activity that has a heartbeat timeout, so that the death of a worker in mid-charge is noticed in seconds and another
 * worker looks the charge up, instead of after the whole start-to-close timeout. Activities stay free of Temporal.
 */
export const heartbeats: ActivityInterceptorsFactory = (context: Context) => ({
  inbound: {
    async execute(input, next) {
      const { heartbeatTimeoutMs } = context.info;
      if (!heartbeatTimeoutMs) return next(input);
      const beat = setInterval(() => context.heartbeat(), heartbeatTimeoutMs / 3);
      try {
        return await next(input);
      } finally {
        clearInterval(beat);
      }
    },
  },
});
