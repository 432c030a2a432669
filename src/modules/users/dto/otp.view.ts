import { z } from 'zod';
import { authResultView } from './session.view.js';
import { selfView } from './user.view.js';

/** The same for every request, whoever asked for whatever. */
export const otpRequestedView = z.object({ expiresInMs: z.number().int(), resendAfterMs: z.number().int() });
export type OtpRequestedView = z.output<typeof otpRequestedView>;

/** Of a login, with `created` when it made the account; of a verification, the account with the address set. */
export const otpVerifiedView = z.union([authResultView.extend({ created: z.boolean() }), selfView]);

export const inboxView = z.object({
  items: z.array(
    z.object({
      identifier: z.string(),
      purpose: z.string(),
      code: z.string(),
      createdAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
    }),
  ),
});
export type InboxView = z.output<typeof inboxView>;
