import { z } from 'zod';
import { messageView } from '../../messages/dto/message.view.js';

export const moderatedMessageView = z.object({ message: messageView, changed: z.boolean() });
