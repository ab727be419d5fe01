/** Does the work for every item, `width` at a time; results in the order of the items. */
export async function inParallel<T, R>(items: readonly T[], width: number, work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

/** Asks every `everyMs` until the answer is not null. @throws Error `late` after `withinMs` */
export async function until<R>(everyMs: number, withinMs: number, ask: () => Promise<R | null>, late: () => string): Promise<R> {
  for (const deadline = Date.now() + withinMs; ; ) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(late());
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
