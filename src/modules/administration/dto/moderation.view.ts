import { z } from 'zod';
import { messageView } from '../../messages/dto/message.view.js';
import { invariantCheck } from '../../messages/dto/verification.view.js';

export const moderatedMessageView = z.object({ message: messageView, changed: z.boolean() });
export const verificationView = z.object({ ok: z.boolean(), checks: z.array(invariantCheck) });
