import { Body, Controller, Get, Header, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import { type HistoryQuery, historyQuery, historyView, messageParam } from './dto/history.dto.js';
import { messageView } from './dto/message.view.js';
import { type SendFields, sendMessageBody } from './dto/send-message.dto.js';
import { MessageHistoryService } from './message-history.service.js';
import { MessagesService } from './messages.service.js';

export const sendResult = z.object({ message: messageView, deduplicated: z.boolean() });

@Controller('api/v1')
@Authenticated()
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly history: MessageHistoryService,
  ) {}

  /** 201; 200 when this clientId was stored before. */
  @Post('conversations/:id/messages')
  @Limited('message.send')
  @Returns(201, sendResult)
  async send(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Body({ schema: sendMessageBody }) fields: SendFields,
    @Res({ passthrough: true }) response: Response,
  ) {
    const result = await this.messages.send(actor, { c, ...fields });
    if (result.deduplicated) response.status(HttpStatus.OK);
    return result;
  }

  @Get('conversations/:id/messages')
  @Header('Content-Type', 'application/json')
  @Returns(200, historyView)
  page(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: historyQuery }) query: HistoryQuery,
  ) {
    return this.history.page(actor, id, query);
  }

  /** By seq or by id. */
  @Get('conversations/:id/messages/:message')
  @Returns(200, messageView)
  get(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('message', { schema: messageParam }) message: number | string,
  ) {
    return this.history.get(actor, id, message);
  }

  /** By id alone, as notifications and reports name it. */
  @Get('messages/:messageId')
  @Returns(200, messageView)
  getById(@CurrentActor() actor: Actor, @Param('messageId', { schema: uuid }) messageId: string) {
    return this.history.getById(actor, messageId);
  }
}
