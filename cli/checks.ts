import { runTool } from './run-tool.ts';

interface Check {
  name: string;
  command: string;
  args: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint, borders and format', command: 'biome', args: ['check', '--error-on-warnings', '--max-diagnostics=50'] },
  { name: 'promises', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'dead code', command: 'knip', args: ['--no-progress'] },
];

/** Runs every check; each that is fine is one word on the screen, each that is not shows what it found. @returns the names of those that failed */
export async function runChecks(): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, command, args } of CHECKS) {
    const { code, output } = await runTool(command, args);
    if (code === 0) {
      process.stdout.write(`ok    ${name}\n`);
    } else {
      failed.push(name);
      process.stdout.write(`FAIL  ${name} (${command} ${args.join(' ')})\n${output.trimEnd()}\n`);
    }
  }
  return failed;
}
