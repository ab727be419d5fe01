import type { NativeConnection } from '@temporalio/worker';

/** Temporal's IndexedValueType, by number and name. */
const TYPE_NAMES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

/**
 * Search attributes of `wanted` that the namespace lacks or has with another type, as `Name=Type`. A worker that ran without them would fail every
 * workflow task of the namespace in an endless loop, so it must not start.
 */
export async function missingSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  wanted: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.entries(wanted)
    .filter(([name, type]) => TYPE_NAMES[customAttributes?.[name] ?? 0]?.toLowerCase() !== type.toLowerCase())
    .map(([name, type]) => `${name}=${type}`);
}
