import { runChecks } from './checks.ts';

/** `npm run check`: types, lint with the borders between rooms, floating promises, dead code. */
process.exitCode = (await runChecks()).length === 0 ? 0 : 1;
