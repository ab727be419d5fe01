import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface Metrics {
  registry: Registry;
  requests: Histogram<'method' | 'route' | 'status'>;
  commands: Counter<'command' | 'outcome'>;
}

/** One registry per app, so that several apps may live in one process (tests, the embedded stack). */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Histogram({
      name: 'perennial_http_request_duration_seconds',
      help: 'Time to answer an API request.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    }),
    commands: new Counter({
      name: 'perennial_api_commands_total',
      help: 'Commands sent to workflows, by outcome: answered, refused, unanswered, failed.',
      labelNames: ['command', 'outcome'],
      registers: [registry],
    }),
  };
}
