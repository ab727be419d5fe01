type Table<Status extends string, Event extends string> = Readonly<Record<Status, Partial<Record<Event, Status>>>>;

/** A table of transitions as a Mermaid state diagram, in the order of the table; events that leave the status as it is are left out. */
export function drawStates<Status extends string, Event extends string>(
  table: Table<Status, Event>,
  { starts, ends }: { starts: readonly Status[]; ends: readonly Status[] },
): string {
  const arrows = (Object.keys(table) as Status[]).flatMap((from) =>
    (Object.entries(table[from]) as [Event, Status][]).flatMap(([event, to]) => (to === from ? [] : [`  ${from} --> ${to}: ${event}`])),
  );
  return [
    'stateDiagram-v2',
    ...starts.map((status) => `  [*] --> ${status}`),
    ...arrows,
    ...ends.map((status) => `  ${status} --> [*]`),
    '',
  ].join('\n');
}
