import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type ExplainOwn, explainOwn } from './dto/decision.dto.js';
import { explanationView } from './dto/decision.view.js';
import {
  type ListNotifications,
  listNotifications,
  type ReadNotifications,
  readNotifications,
} from './dto/notification.dto.js';
import { notificationView, unreadView } from './dto/notification.view.js';
import { ExplainService } from './explain.service.js';
import { InboxService } from './inbox.service.js';

@Controller('api/v1/notifications')
@Authenticated()
export class InboxController {
  constructor(
    private readonly inbox: InboxService,
    private readonly explanations: ExplainService,
  ) {}

  @Get()
  @Returns(200, pageOf(notificationView))
  list(@CurrentActor() actor: Actor, @Query({ schema: listNotifications }) query: ListNotifications) {
    return this.inbox.list(actor, query);
  }

  @Post('read')
  @Returns(200, unreadView)
  read(@CurrentActor() actor: Actor, @Body({ schema: readNotifications }) which: ReadNotifications) {
    return this.inbox.read(actor, which);
  }

  /** Why the caller's devices rang for a message, or did not. */
  @Get('explain')
  @Returns(200, explanationView)
  explain(@CurrentActor() actor: Actor, @Query({ schema: explainOwn }) { messageId, deviceId }: ExplainOwn) {
    return this.explanations.explainOwn(actor, messageId, deviceId);
  }

  @Delete(':id')
  @Returns(204)
  dismiss(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.inbox.dismiss(actor, id);
  }
}
