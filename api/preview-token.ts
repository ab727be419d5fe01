import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PreviewPins } from '../domain/subscription/keep-preview.ts';
import type { Instant } from '../domain/time.ts';
import { badRequest } from './errors.ts';

/** How long a preview can be applied, in seconds of the time it was made in. */
export const PREVIEW_PATIENCE = 3600;

export interface PinnedPreview extends PreviewPins {
  /** The proration date that was asked for, taken where the request that applies it gives none. */
  prorationDate?: Instant;
}

const PREFIX = 'pvt_';
const sign = (payload: string, secret: string): Buffer => createHmac('sha256', secret).update(`1.${payload}`).digest();

/** Everything a preview pins, readable to whoever holds it and signed with the account's own secret, so that nobody can change it. Nothing of it is stored. */
export function writePreviewToken(pinned: PinnedPreview, secret: string): string {
  const payload = Buffer.from(JSON.stringify(pinned)).toString('base64url');
  return `${PREFIX}${payload}.${sign(payload, secret).toString('base64url')}`;
}

/** @throws ApiError 400 for a token that this account did not sign */
export function readPreviewToken(token: string, secret: string): PinnedPreview {
  const [payload = '', signature = ''] = token.slice(PREFIX.length).split('.', 2);
  const given = Buffer.from(signature, 'base64url');
  const right = sign(payload, secret);
  if (!token.startsWith(PREFIX) || given.length !== right.length || !timingSafeEqual(given, right)) {
    throw badRequest('Invalid preview_token: it is not one that this account was given, or it was altered.', 'preview_token');
  }
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as PinnedPreview;
}

/** What the preview that a request applies has pinned, where it names one. @throws ApiError 400 */
export function pinsOf(
  { preview_token: token }: { preview_token?: string | undefined },
  { previewSecret }: { previewSecret: string },
): { preview?: PreviewPins; prorationDate?: Instant } {
  if (token === undefined) return {};
  const { prorationDate, ...preview } = readPreviewToken(token, previewSecret);
  return { preview, ...(prorationDate === undefined ? {} : { prorationDate }) };
}
