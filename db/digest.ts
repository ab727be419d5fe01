import { hash } from 'node:crypto';

/** A short name for a text, the same in the process that previews and in the one that applies: 128 bits of its sha256. */
export const digest = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url');
