import { Body, Controller, Delete, Get, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { ifMatch, notModified } from '../../platform/http/conditional.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { CreationService } from './creation.service.js';
import { DirectoryService } from './directory.service.js';
import {
  type CreateConversation,
  createConversation,
  type DiscoverChannels,
  discoverChannels,
  type ListConversations,
  listConversations,
  type UpdateConversation,
  updateConversation,
} from './dto/conversation.dto.js';
import {
  type ConversationDetailView,
  conversationDetailView,
  detailEtag,
  editableMatch,
  publicChannelView,
} from './dto/conversation.view.js';
import { EditingService } from './editing.service.js';

@Controller('api/v1/conversations')
@Authenticated()
export class ConversationsController {
  constructor(
    private readonly creation: CreationService,
    private readonly directory: DirectoryService,
    private readonly editing: EditingService,
  ) {}

  /** 200 when the pair of a direct conversation has one already. */
  @Post()
  @Returns(201, conversationDetailView)
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createConversation }) input: CreateConversation,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConversationDetailView> {
    const { conversation, created } = await this.creation.create(actor, input);
    if (!created) response.status(200);
    response.setHeader('Location', `/api/v1/conversations/${conversation.id}`);
    response.setHeader('ETag', detailEtag(conversation));
    return conversation;
  }

  @Get()
  @Returns(200, pageOf(conversationDetailView))
  list(@CurrentActor() actor: Actor, @Query({ schema: listConversations }) query: ListConversations) {
    return this.directory.list(actor, query);
  }

  @Get('discover')
  @Returns(200, pageOf(publicChannelView))
  discover(@CurrentActor() actor: Actor, @Query({ schema: discoverChannels }) query: DiscoverChannels) {
    return this.directory.discover(actor, query);
  }

  @Get(':id')
  @Returns(200, conversationDetailView)
  async get(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConversationDetailView | undefined> {
    const conversation = await this.directory.get(actor, id);
    return notModified(request, response, detailEtag(conversation)) ? undefined : conversation;
  }

  @Patch(':id')
  @Returns(200, conversationDetailView)
  async update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: updateConversation }) input: UpdateConversation,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConversationDetailView> {
    const conversation = await this.editing.update(actor, id, input, editableMatch(ifMatch(request)));
    response.setHeader('ETag', detailEtag(conversation));
    return conversation;
  }

  @Delete(':id')
  @Returns(204)
  delete(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.editing.delete(actor, id);
  }
}
