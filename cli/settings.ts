import { readFileSync, writeFileSync } from 'node:fs';
import { settingsTable } from '../config/env.ts';

/** Writes the settings table between the README's markers: `node cli/settings.ts`. */
const file = new URL('../README.md', import.meta.url);
const readme = readFileSync(file, 'utf8');
writeFileSync(
  file,
  readme.replace(/(<!-- settings:start -->\n)[\s\S]*?(<!-- settings:end -->)/, (_, start, end) => `${start}${settingsTable()}\n${end}`),
);
