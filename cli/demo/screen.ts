/** Where the demo is told: lines that stay and, on a terminal, one progress bar below them that moves on. */
export interface Screen {
  line(text?: string): void;
  /** `done` of `of`, and what is being waited for. */
  progress(done: number, of: number, what: string): void;
  /** Takes the bar away. */
  clear(): void;
}

const BAR_WIDTH = 24;

export function openScreen(output: NodeJS.WriteStream = process.stdout): Screen {
  const erase = output.isTTY ? '\r\x1b[K' : '';
  let bar = '';
  return {
    line: (text = '') => void output.write(`${erase}${text}\n${bar}`),
    progress: (done, of, what) => {
      if (!output.isTTY) return;
      const full = Math.round((done / of) * BAR_WIDTH);
      bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${what}`.slice(0, (output.columns || 80) - 1);
      output.write(`${erase}${bar}`);
    },
    clear: () => {
      bar = '';
      output.write(erase);
    },
  };
}

/** "2027-01-15  Ada       starts on Starter              EUR 19.00" */
export const sentence = (date: string, who: string, what: string, amount = ''): string =>
  `${date.padEnd(10)}  ${who.padEnd(8)}  ${what.padEnd(66)}${amount.padStart(16)}`.trimEnd();
