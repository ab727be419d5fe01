export interface Addresses {
  api: string;
  temporalUi: string | null;
  secretKey: string;
  home: string;
  metrics: string;
}

/** What `npm start` shows when everything runs. */
export function welcome({ api, temporalUi, secretKey, home, metrics }: Addresses): string {
  const lines = [
    ['API', api],
    ['Reference', `${api}/docs`],
    ...(temporalUi === null ? [] : [['Temporal UI', temporalUi]]),
    ['Secret key', secretKey],
    ['Metrics', `${api}/metrics, ${metrics}/metrics`],
    ['Data, logs', home],
  ].map(([name = '', value = '']) => `${name.padEnd(12)} ${value}`);
  const width = Math.max(...lines.map((line) => line.length));
  const bar = '─'.repeat(width + 2);
  return [
    `┌${bar}┐`,
    `│ ${'Perennial runs'.padEnd(width)} │`,
    `├${bar}┤`,
    ...lines.map((line) => `│ ${line.padEnd(width)} │`),
    `└${bar}┘`,
    'Try it:',
    `  curl ${api}/v1/products -u ${secretKey}: -d name=Pro`,
    'Ctrl-C stops it; the next start resumes every subscription.',
    '',
  ].join('\n');
}
