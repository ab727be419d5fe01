import { readFileSync } from 'node:fs';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { Config } from './env.ts';
import { reasonOf, SetupError } from './setup-error.ts';

export type TemporalSettings = Pick<
  Config,
  | 'TEMPORAL_NAMESPACE'
  | 'TEMPORAL_API_KEY'
  | 'TEMPORAL_TLS'
  | 'TEMPORAL_TLS_CA_FILE'
  | 'TEMPORAL_TLS_CERT_FILE'
  | 'TEMPORAL_TLS_KEY_FILE'
  | 'TEMPORAL_TLS_SERVER_NAME'
> & { TEMPORAL_ADDRESS?: string | undefined };

const CONNECT_DEADLINE_MS = 10_000;

/** What both kinds of connection are made from. @throws SetupError where a certificate file cannot be read or the address is missing */
export function connectionOptions(
  config: TemporalSettings,
): NativeConnectionOptions & Pick<ConnectionOptions, 'address' | 'tls' | 'apiKey'> {
  if (config.TEMPORAL_ADDRESS === undefined) {
    throw new SetupError(
      'TEMPORAL_ADDRESS is missing: give the host:port of your Temporal server, or use `npm start`, which brings its own',
    );
  }
  const { TEMPORAL_TLS_CERT_FILE: certFile, TEMPORAL_TLS_KEY_FILE: keyFile, TEMPORAL_TLS_CA_FILE: caFile } = config;
  const wantsTls = config.TEMPORAL_TLS ?? (config.TEMPORAL_API_KEY ?? certFile ?? caFile ?? config.TEMPORAL_TLS_SERVER_NAME) !== undefined;
  const tls = {
    ...(caFile ? { serverRootCACertificate: readPem('TEMPORAL_TLS_CA_FILE', caFile) } : {}),
    ...(config.TEMPORAL_TLS_SERVER_NAME ? { serverNameOverride: config.TEMPORAL_TLS_SERVER_NAME } : {}),
    ...(certFile && keyFile
      ? { clientCertPair: { crt: readPem('TEMPORAL_TLS_CERT_FILE', certFile), key: readPem('TEMPORAL_TLS_KEY_FILE', keyFile) } }
      : {}),
  };
  return {
    address: config.TEMPORAL_ADDRESS,
    tls: wantsTls ? tls : false,
    ...(config.TEMPORAL_API_KEY ? { apiKey: config.TEMPORAL_API_KEY } : {}),
  };
}

function readPem(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SetupError(`${setting} cannot be read (${reasonOf(error)}): give a PEM file that this user may read`);
  }
}

/** The API's connection. @throws SetupError when Temporal does not answer within the deadline or has no such namespace */
export async function connectClient(config: TemporalSettings, deadlineMs = CONNECT_DEADLINE_MS): Promise<Connection> {
  const connection = Connection.lazy({ ...connectionOptions(config), connectTimeout: deadlineMs });
  try {
    await connection.withDeadline(Date.now() + deadlineMs, async () => {
      await connection.ensureConnected();
      await connection.workflowService.describeNamespace({ namespace: config.TEMPORAL_NAMESPACE });
    });
  } catch (error) {
    await connection.close();
    throw unreachable(config, error);
  }
  return connection;
}

/** The worker's connection. @throws SetupError when Temporal does not answer within ten seconds or has no such namespace */
export async function connectWorker(config: TemporalSettings): Promise<NativeConnection> {
  await (await connectClient(config)).close();
  try {
    return await NativeConnection.connect(connectionOptions(config));
  } catch (error) {
    throw unreachable(config, error);
  }
}

function unreachable(config: TemporalSettings, error: unknown): SetupError {
  // The SDK says only that it failed; why is in the cause.
  const reason = reasonOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
  if (/NOT_FOUND|not found/i.test(reason)) {
    return new SetupError(
      `TEMPORAL_NAMESPACE ${config.TEMPORAL_NAMESPACE} does not exist at ${config.TEMPORAL_ADDRESS}: create it or name another`,
    );
  }
  if (/UNAUTHENTICATED|PERMISSION_DENIED|unauthorized/i.test(reason)) {
    return new SetupError(
      `Temporal at ${config.TEMPORAL_ADDRESS} refuses these credentials (${reason}): check TEMPORAL_API_KEY or the TEMPORAL_TLS files`,
    );
  }
  return new SetupError(
    `TEMPORAL_ADDRESS ${config.TEMPORAL_ADDRESS} does not answer (${reason}): start Temporal there, or mend the address or the TEMPORAL_TLS settings`,
  );
}
