import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_TASK_QUEUE } from '../workflows/messages.ts';
import { WrongSettings } from './setup-error.ts';

const port = (preset: number) => z.coerce.number().int().min(1).max(65_535).default(preset);
const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const path = z
  .string()
  .min(1)
  .transform((text) => resolve(text));

/**
 * Every setting, read from the environment. The description is what the settings table in the README says; `mend` is what the error says after what is
 * wrong. An empty variable counts as unset, as shells and compose files leave them.
 */
const SETTINGS = {
  PERENNIAL_HOME: {
    schema: path.default(resolve('.perennial')),
    preset: '`.perennial`',
    about: 'Folder of the embedded Postgres and Temporal, binaries, logs and the first API key.',
    mend: 'give a folder that you may write to',
  },
  HOST: {
    schema: z.string().min(1).default('127.0.0.1'),
    about: 'Address that API and metrics listen on; `0.0.0.0` for all.',
    mend: 'give an address of this machine',
  },
  PORT: { schema: port(8420), about: 'Port of the API.', mend: 'give a port from 1 to 65535, e.g. PORT=8420' },
  METRICS_PORT: {
    schema: z.coerce.number().int().min(0).max(65_535).default(8421),
    about: "Port of the worker's `/metrics`, `/healthz` and `/readyz`; `0` takes any free one (several workers on one machine).",
    mend: 'give a port from 0 to 65535, e.g. METRICS_PORT=8421',
  },
  DATABASE_URL: {
    schema: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    about: 'Your Postgres (15 or newer). Unset: `npm start` runs an embedded one.',
    mend: 'give a URL such as postgres://user:password@host:5432/perennial, or unset it for the embedded Postgres',
  },
  DATABASE_POOL_MAX: {
    schema: z.coerce.number().int().min(2).max(1000).default(20),
    about: 'Most connections to Postgres per process.',
    mend: 'give a whole number from 2 to 1000',
  },
  POSTGRES_PORT: {
    schema: port(8422),
    about: 'Port of the embedded Postgres.',
    mend: 'give a port from 1 to 65535, e.g. POSTGRES_PORT=8422',
  },
  TEMPORAL_ADDRESS: {
    schema: z
      .string()
      .regex(/^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'not host:port')
      .optional(),
    about: 'Your Temporal frontend, `host:port`. Unset: `npm start` runs an embedded dev server.',
    mend: 'give host:port such as temporal.internal:7233, without http://, or unset it for the embedded server',
  },
  TEMPORAL_NAMESPACE: { schema: z.string().min(1).default('default'), about: 'Temporal namespace.', mend: 'give the name of a namespace' },
  TEMPORAL_TASK_QUEUE: {
    schema: z.string().min(1).default(DEFAULT_TASK_QUEUE),
    about: 'Task queue of workflows and activities.',
    mend: 'give the name of a task queue',
  },
  TEMPORAL_API_KEY: {
    schema: z.string().min(1).optional(),
    secret: true,
    about: 'API key of Temporal Cloud; switches TLS on.',
    mend: 'give the key itself',
  },
  TEMPORAL_TLS: {
    schema: flag.optional(),
    about: 'TLS to Temporal: `true` or `false`. On by itself with an API key or a certificate.',
    mend: 'write true or false',
  },
  TEMPORAL_TLS_CA_FILE: {
    schema: path.optional(),
    about: "PEM file of the authority that signed the server's certificate.",
    mend: 'give the path of a PEM file',
  },
  TEMPORAL_TLS_CERT_FILE: {
    schema: path.optional(),
    about: 'PEM file of the client certificate (mTLS).',
    mend: 'give the path of a PEM file',
  },
  TEMPORAL_TLS_KEY_FILE: { schema: path.optional(), about: 'PEM file of the client key (mTLS).', mend: 'give the path of a PEM file' },
  TEMPORAL_TLS_SERVER_NAME: {
    schema: z.string().min(1).optional(),
    about: "Name that the server's certificate must carry, where it is not the address.",
    mend: 'give a host name',
  },
  TEMPORAL_PORT: {
    schema: port(8423),
    about: 'Port of the embedded Temporal server.',
    mend: 'give a port from 1 to 65535, e.g. TEMPORAL_PORT=8423',
  },
  TEMPORAL_UI_PORT: {
    schema: port(8424),
    about: "Port of the embedded server's UI.",
    mend: 'give a port from 1 to 65535, e.g. TEMPORAL_UI_PORT=8424',
  },
  TEMPORAL_UI_URL: {
    schema: z.url({ protocol: /^https?$/ }).optional(),
    preset: "the embedded server's UI",
    about: "Address of the Temporal UI, for links from a subscription's timeline to its workflow runs.",
    mend: 'give a URL such as https://temporal.example.com, or unset it for none',
  },
  TEMPORAL_BINARY: {
    schema: path.optional(),
    about: 'Path of a `temporal` executable to use instead of finding one.',
    mend: 'give the path of the temporal executable',
  },
  TEMPORAL_TEST_SERVER_BINARY: {
    schema: path.optional(),
    about: 'Path of a `temporal-test-server` executable for the tests.',
    mend: 'give the path of the temporal-test-server executable',
  },
  WORKER_CACHED_WORKFLOWS: {
    schema: z.coerce.number().int().min(0).max(1_000_000).optional(),
    preset: 'from the memory there is',
    about: 'Most workflows a worker keeps in memory; `0` keeps none, and every task replays its history.',
    mend: 'give a whole number from 0',
  },
  API_DEADLINE_MS: {
    schema: z.coerce.number().int().min(100).max(120_000).default(10_000),
    about: 'Longest time a call may wait for a workflow before it is answered with 503 and Retry-After.',
    mend: 'give milliseconds from 100 to 120000',
  },
  LOG_LEVEL: {
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    about: 'Least severe log line that is written.',
    mend: 'write one of trace, debug, info, warn, error, fatal, silent',
  },
  LOG_FORMAT: {
    schema: z.enum(['pretty', 'json']).optional(),
    preset: '`pretty` on a terminal, else `json`',
    about: 'One JSON object per line, or lines for people.',
    mend: 'write pretty or json',
  },
} as const satisfies Record<string, Setting>;

interface Setting {
  schema: z.ZodType;
  about: string;
  mend: string;
  /** The default in words, where the schema's own depends on the machine. */
  preset?: string;
  /** Its value is never shown. */
  secret?: boolean;
}

export type Config = { readonly [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]['schema']> };

/**
 * Parses the settings once, at start.
 * @throws WrongSettings with one line for each setting that is wrong: its name, what is wrong, how to mend it
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const lines: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const text = env[name]?.trim() || undefined;
    const parsed = setting.schema.safeParse(text);
    if (parsed.success) config[name] = parsed.data;
    else lines.push(`${name} is wrong${setting.secret ? '' : ` (${JSON.stringify(withoutPassword(text ?? ''))})`}: ${setting.mend}`);
  }
  if (lines.length === 0) lines.push(...contradictions(config as Config));
  if (lines.length > 0) throw new WrongSettings(lines);
  return Object.freeze(config) as Config;
}

/** Settings that are right alone and wrong together. */
function contradictions(config: Config): string[] {
  const lines: string[] = [];
  if ((config.TEMPORAL_TLS_CERT_FILE === undefined) !== (config.TEMPORAL_TLS_KEY_FILE === undefined)) {
    const missing = config.TEMPORAL_TLS_CERT_FILE === undefined ? 'TEMPORAL_TLS_CERT_FILE' : 'TEMPORAL_TLS_KEY_FILE';
    lines.push(`${missing} is missing: a client certificate and its key are given together`);
  }
  if (config.TEMPORAL_TLS === false && (config.TEMPORAL_API_KEY ?? config.TEMPORAL_TLS_CERT_FILE) !== undefined) {
    lines.push('TEMPORAL_TLS is false, but an API key or a client certificate needs TLS: unset TEMPORAL_TLS');
  }
  const ports = [
    'PORT',
    'METRICS_PORT',
    ...(config.DATABASE_URL ? [] : ['POSTGRES_PORT']),
    ...(config.TEMPORAL_ADDRESS ? [] : ['TEMPORAL_PORT', 'TEMPORAL_UI_PORT']),
  ];
  const owners = new Map<unknown, string>();
  for (const name of ports) {
    const value = config[name as keyof Config];
    const owner = owners.get(value);
    if (owner && value !== 0) lines.push(`${name} is the same port as ${owner} (${String(value)}): give each a port of its own`);
    owners.set(value, owner ?? name);
  }
  return lines;
}

const withoutPassword = (text: string): string => text.replace(/(:\/\/[^:@/]*:)[^@/]*@/, '$1***@');

/** The settings as a Markdown table, for the README. */
export function settingsTable(): string {
  const rows = Object.entries<Setting>(SETTINGS).map(([name, { schema, preset, about }]) => {
    const given = schema.safeParse(undefined);
    const value = preset ?? (given.success && given.data !== undefined ? `\`${String(given.data)}\`` : '');
    return `| \`${name}\` | ${value} | ${about} |`;
  });
  return ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
