import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

let isQuiet = false;

/** The SDK tells of errors only: what is tested makes it warn a lot. To be called before anything else of the SDK; once in a process, whatever files run in it. */
export function quietly(): void {
  if (isQuiet) return;
  isQuiet = true;
  const level = process.env['TEST_LOG_LEVEL'] === undefined ? 'ERROR' : 'INFO';
  Runtime.install({
    logger: new DefaultLogger(level),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: level, other: 'ERROR' }) } },
  });
}
