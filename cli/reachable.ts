/** An address at which this machine reaches what listens on `host`. */
export const reachable = (host: string): string => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host);

/** The same as the beginning of a URL, where an IPv6 address stands in brackets. */
export function reachableUrl(host: string, port: number): string {
  const address = reachable(host);
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
