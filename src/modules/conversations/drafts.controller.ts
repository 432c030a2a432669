import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { DraftsService } from './drafts.service.js';
import { type DraftQuery, draftQuery, type PutDraft, putDraft } from './dto/draft.dto.js';
import { draftView } from './dto/draft.view.js';

@Controller('api/v1')
@Authenticated()
export class DraftsController {
  constructor(private readonly drafts: DraftsService) {}

  @Get('drafts')
  @Returns(200, pageOf(draftView))
  list(@CurrentActor() actor: Actor, @Query({ schema: pageQuery }) query: PageQuery) {
    return this.drafts.list(actor, query);
  }

  @Put('conversations/:id/draft')
  @Returns(200, draftView)
  put(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: draftQuery }) { threadId }: DraftQuery,
    @Body({ schema: putDraft }) input: PutDraft,
  ) {
    return this.drafts.put(actor, id, threadId ?? null, input);
  }

  @Delete('conversations/:id/draft')
  @Returns(204)
  remove(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: draftQuery }) { threadId }: DraftQuery,
  ): Promise<void> {
    return this.drafts.remove(actor, id, threadId ?? null);
  }
}
