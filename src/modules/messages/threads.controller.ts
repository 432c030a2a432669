import { Body, Controller, Delete, Get, Header, HttpStatus, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { historyView, type ThreadHistoryQuery, threadHistoryQuery } from './dto/history.dto.js';
import {
  type CreateThread,
  createThread,
  type ReadThread,
  readThread,
  threadMemberView,
  threadReadView,
  type UpdateThread,
  updateThread,
} from './dto/thread.dto.js';
import { threadDetailView } from './dto/thread.view.js';
import { ThreadsService } from './threads.service.js';

@Controller('api/v1')
@Authenticated()
export class ThreadsController {
  constructor(private readonly threads: ThreadsService) {}

  @Get('conversations/:id/threads')
  @Returns(200, pageOf(threadDetailView))
  list(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: pageQuery }) query: PageQuery,
  ) {
    return this.threads.list(actor, id, query);
  }

  /** 201; 200 when the root has a thread. */
  @Post('conversations/:id/threads')
  @Returns(201, threadDetailView)
  async create(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: createThread }) input: CreateThread,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { thread, created } = await this.threads.create(actor, id, input);
    if (!created) response.status(HttpStatus.OK);
    return thread;
  }

  @Get('threads/:id')
  @Returns(200, threadDetailView)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.threads.get(actor, id);
  }

  @Patch('threads/:id')
  @Returns(200, threadDetailView)
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: updateThread }) change: UpdateThread,
  ) {
    return this.threads.update(actor, id, change);
  }

  @Get('threads/:id/messages')
  @Header('Content-Type', 'application/json')
  @Returns(200, historyView)
  page(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: threadHistoryQuery }) query: ThreadHistoryQuery,
  ) {
    return this.threads.page(actor, id, query);
  }

  @Get('threads/:id/members')
  @Returns(200, pageOf(threadMemberView))
  members(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: pageQuery }) query: PageQuery,
  ) {
    return this.threads.members(actor, id, query);
  }

  @Put('threads/:id/members/me')
  @Returns(204)
  follow(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.threads.follow(actor, id, true);
  }

  @Delete('threads/:id/members/me')
  @Returns(204)
  unfollow(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.threads.follow(actor, id, false);
  }

  @Put('threads/:id/read')
  @Returns(200, threadReadView)
  read(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: readThread }) { seq }: ReadThread,
  ) {
    return this.threads.read(actor, id, seq);
  }
}
