import { Body, Controller, Delete, Get, Param, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { inspectedConversation, overseenConversation } from '../conversations/dto/oversight.view.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { moderatedMessageView } from './dto/moderation.view.js';
import { type ConversationQuery, conversationQuery, seqParam } from './dto/moderation.dto.js';
import { type ReasonBody, reasonBody, type ReasonQuery, reasonQuery } from './dto/person.dto.js';
import { ModerationService } from './moderation.service.js';

@Controller('api/v1/admin/conversations')
export class ModerationController {
  constructor(
    private readonly moderation: ModerationService,
    private readonly conversations: ConversationsService,
  ) {}

  @Get()
  @Requires('conversations.read')
  @Returns(200, pageOf(overseenConversation))
  list(@CurrentActor() actor: Actor, @Query({ schema: conversationQuery }) query: ConversationQuery) {
    return this.conversations.oversee(actor, query);
  }

  @Get(':id')
  @Requires('conversations.read')
  @Returns(200, inspectedConversation)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.conversations.inspect(actor, id);
  }

  @Delete(':id')
  @Requires('conversations.moderate')
  @Returns(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: reasonQuery }) { reason }: ReasonQuery,
    @Body({ schema: reasonBody }) body: ReasonBody,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.moderation.deleteConversation(actor, id, reason ?? body?.reason ?? null, trace);
  }

  @Delete(':id/members/:userId')
  @Requires('conversations.moderate')
  @Returns(204)
  removeMember(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('userId', { schema: uuid }) userId: string,
    @Query({ schema: reasonQuery }) { reason }: ReasonQuery,
    @Body({ schema: reasonBody }) body: ReasonBody,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.moderation.removeMember(actor, id, userId, reason ?? body?.reason ?? null, trace);
  }

  @Delete(':id/messages/:seq')
  @Requires('messages.moderate')
  @Returns(200, moderatedMessageView)
  deleteMessage(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('seq', { schema: seqParam }) seq: number,
    @Query({ schema: reasonQuery }) { reason }: ReasonQuery,
    @Body({ schema: reasonBody }) body: ReasonBody,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.moderation.deleteMessage(actor, id, seq, reason ?? body?.reason ?? null, trace);
  }
}
