import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, constants, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';

export const certificate = (name: string): string => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));

export interface TlsFrontend {
  address: string;
  /** Common names of the client certificates that were shown, each once. */
  clients: Set<string>;
  stop(): Promise<void>;
}

const { HTTP2_HEADER_AUTHORITY, HTTP2_HEADER_STATUS } = constants;
const UNAUTHENTICATED = '16';

/** What stands before Temporal in production: TLS with client certificates, and an API key on every call. Passes all else on to the plain server. */
export async function startTlsFrontend({ upstream, apiKey }: { upstream: string; apiKey: string }): Promise<TlsFrontend> {
  const clients = new Set<string>();
  const sessions = new Set<ClientHttp2Session>();
  const server = createSecureServer({
    key: readFileSync(certificate('server.key.pem')),
    cert: readFileSync(certificate('server.pem')),
    ca: readFileSync(certificate('authority.pem')),
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('session', (session) => {
    const shown = (session.socket as TLSSocket).getPeerCertificate().subject?.CN;
    if (typeof shown === 'string') clients.add(shown);
    const plain = connect(`http://${upstream}`);
    sessions.add(plain);
    plain.on('error', () => session.destroy());
    session.on('error', () => plain.destroy());
    session.on('close', () => {
      plain.destroy();
      sessions.delete(plain);
    });
    session.on('stream', (stream, headers) => {
      if (headers['authorization'] !== `Bearer ${apiKey}`) refuse(stream);
      else pass(stream, plain, headers);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const inward = new Set<{ destroy(): void }>();
  server.on('session', (session) => void inward.add(session));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    clients,
    stop: () => {
      for (const session of [...inward, ...sessions]) session.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function refuse(stream: ServerHttp2Stream): void {
  stream.respond(
    { [HTTP2_HEADER_STATUS]: 200, 'content-type': 'application/grpc', 'grpc-status': UNAUTHENTICATED, 'grpc-message': 'unknown API key' },
    { endStream: true },
  );
}

function pass(stream: ServerHttp2Stream, plain: ClientHttp2Session, headers: import('node:http2').IncomingHttpHeaders): void {
  const { [HTTP2_HEADER_AUTHORITY]: _authority, ...rest } = headers;
  const call = plain.request({ ...rest, ':scheme': 'http' });
  let trailers: import('node:http2').IncomingHttpHeaders = {};
  stream.on('error', () => call.close());
  call.on('error', () => stream.close());
  stream.on('close', () => call.close());
  call.on('response', (answer, flags) => {
    if (stream.closed) return;
    const ends = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond(answer, ends ? { endStream: true } : { waitForTrailers: true });
    if (ends) return;
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    call.pipe(stream);
  });
  call.on('trailers', (sent) => {
    trailers = sent;
  });
  stream.pipe(call);
}
