import { badRequest, printable } from './errors.ts';
import { EXPANDABLE, type Field, type Kind } from './expandable-fields.ts';

export type Json = Record<string, unknown>;

/** Reads what expansion needs, in batches; `null` for an id of which nothing is left. */
export interface ObjectReader {
  read(kind: Kind, ids: readonly string[]): Promise<Map<string, Json>>;
  /** What an object shows only on request, for many owners at once. */
  readExtra(kind: Kind, path: string, owners: readonly Json[]): Promise<Map<string, unknown>>;
}

interface Step {
  /** Where in the object, key by key. */
  keys: string[];
  field: Field;
}

const MAX_DEPTH = 4;

/** Checks the paths without reading anything, so that a command with a bad one is refused before it acts. @throws ApiError 400 */
export function checkExpand(paths: readonly string[], root: Kind, list: boolean): void {
  for (const path of paths) planOf(path, root, list);
}

/**
 * Replaces the ids named by `expand[]` with their objects. Each path is checked against `EXPANDABLE` before anything is read, and each step
 * is one batch for all objects, so a list of 100 costs as many reads as one object.
 * @param root the kind of the answer; for a list, of its elements (paths then begin with `data.`)
 * @throws ApiError 400 for a path that cannot be expanded or is deeper than four levels
 */
export async function expand(answer: Json, root: Kind, paths: readonly string[], reader: ObjectReader): Promise<void> {
  const plans = paths.map((path) => planOf(path, root, answer['object'] === 'list'));
  for (const { steps, list } of plans) {
    let owners = list ? (answer['data'] as Json[]) : [answer];
    let kind = root;
    for (const step of steps) {
      owners = await take(owners, kind, step, reader);
      kind = step.field.to;
    }
  }
}

function planOf(path: string, root: Kind, isList: boolean): { steps: Step[]; list: boolean } {
  const cannot = () => badRequest(`This property cannot be expanded (${printable(path)}).`, 'expand');
  let rest = path.split('.');
  if (isList) {
    if (rest[0] !== 'data')
      throw badRequest(
        `This property cannot be expanded (${printable(path)}). You may want to try expanding 'data.${printable(path)}'.`,
        'expand',
      );
    rest = rest.slice(1);
  }
  const steps: Step[] = [];
  let kind = root;
  while (rest.length > 0) {
    const found = Object.entries(EXPANDABLE[kind]).find(([name]) => rest.join('.') === name || rest.join('.').startsWith(`${name}.`));
    if (found === undefined) throw cannot();
    const [name, field] = found;
    const keys = name.split('.');
    rest = rest.slice(keys.length);
    if (field.list === true && rest.length > 0) {
      if (rest[0] !== 'data') throw cannot();
      rest = rest.slice(1);
    }
    if (field.how === 'nothing' && rest.length > 0) throw cannot();
    steps.push({ keys, field });
    kind = field.to;
  }
  if (steps.length === 0) throw cannot();
  if (steps.filter((step) => step.field.how !== 'inside').length > MAX_DEPTH)
    throw badRequest('You cannot expand more than 4 levels of a property.', 'expand');
  return { steps, list: isList };
}

async function take(owners: readonly Json[], kind: Kind, { keys, field }: Step, reader: ObjectReader): Promise<Json[]> {
  const last = keys.at(-1) ?? '';
  const holders = owners.flatMap((owner) => {
    const within = keys
      .slice(0, -1)
      .reduce<unknown[]>((values, key) => values.flatMap((value) => (isJson(value) ? value[key] : [])), [owner]);
    return within.flatMap((holder) => (isJson(holder) ? [{ owner, holder }] : []));
  });
  if (field.how === 'nothing') {
    for (const { holder } of holders) holder[last] ??= null;
    return [];
  }
  if (field.how === 'extra') {
    const missing = holders.filter(({ holder }) => holder[last] === undefined).map(({ owner }) => owner);
    const lists = missing.length === 0 ? new Map<string, unknown>() : await reader.readExtra(kind, keys.join('.'), missing);
    for (const { owner, holder } of holders) {
      const found = lists.get(String(owner['id']));
      if (found !== undefined) holder[last] ??= found;
    }
  }
  if (field.how === 'reference') {
    const ids = [...new Set(holders.flatMap(({ holder }) => idsIn(holder[last])))];
    const objects = ids.length === 0 ? new Map<string, Json>() : await reader.read(field.to, ids);
    for (const { holder } of holders) {
      // A copy each, because deeper paths change it in place.
      const whole = (value: unknown): unknown =>
        typeof value === 'string' && objects.has(value) ? structuredClone(objects.get(value)) : value;
      const value = holder[last];
      holder[last] = Array.isArray(value) ? value.map(whole) : whole(value);
    }
  }
  return holders.flatMap(({ holder }) => {
    const value = holder[last];
    if (Array.isArray(value)) return value.filter(isJson);
    if (!isJson(value)) return [];
    return field.list === true && Array.isArray(value['data']) ? (value['data'] as Json[]) : [value];
  });
}

const idsIn = (value: unknown): string[] => [value].flat().filter((id) => typeof id === 'string');
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
