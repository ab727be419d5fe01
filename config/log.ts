import { type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { Config } from './env.ts';

/** What never stands in a log: secrets, and personal data of customers. Paths as pino reads them, at the top and one level down. */
const REDACTED = [
  'authorization',
  'cookie',
  'secret',
  'secretKey',
  'apiKey',
  'password',
  'email',
  'name',
  'phone',
  'address',
  'shipping',
  'taxIds',
  'tax_ids',
];

const LEVEL_NAMES: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO ', 40: 'WARN ', 50: 'ERROR', 60: 'FATAL' };

/** One line for people: time, level, message, then the fields. An error's stack follows on its own lines. */
export function prettyLine(json: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json;
  }
  const { level, time, msg, err, pid: _pid, hostname: _hostname, process: part, ...fields } = entry;
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${String(time).slice(11, 19)} ${LEVEL_NAMES[Number(level)] ?? level} ${part === undefined ? '' : `${String(part)} `}${String(msg ?? '')}${rest.join('')}${stack}\n`;
}

/**
 * The log of one process; children of it carry request, workflow and account ids.
 * @param part which process speaks: `api`, `worker`, …
 */
export function createLog(
  config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  part: string,
  write: (line: string) => void = writeOut,
): Logger {
  const pretty = (config.LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json')) === 'pretty';
  return pino(
    {
      level: config.LOG_LEVEL,
      base: { process: part },
      timestamp: stdTimeFunctions.isoTime,
      // Temporal's SDK says `error` where pino says `err`.
      serializers: { error: stdSerializers.err },
      redact: {
        paths: [...REDACTED.flatMap((key) => [key, `*.${key}`]), 'req.headers.authorization', 'req.headers.cookie'],
        censor: '[redacted]',
      },
    },
    { write: (line: string) => write(pretty ? prettyLine(line) : line) },
  );
}

const writeOut = (line: string): void => {
  process.stdout.write(line);
};
