import { Body, Controller, Delete, Get, Param, Patch, Put, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import {
  changedView,
  type DeleteMessageQuery,
  deleteMessageQuery,
  type EditFields,
  editMessageBody,
  emoji,
  pinView,
  type ReactionListQuery,
  reactionListQuery,
  reactionsView,
  reactorView,
} from './dto/change-message.dto.js';
import { seqParam } from './dto/history.dto.js';
import { messageView } from './dto/message.view.js';
import { MessageEditService } from './message-edit.service.js';
import { PinsService } from './pins.service.js';
import { ReactionsService } from './reactions.service.js';

/** What happens to messages after they were sent. */
@Controller('api/v1/conversations/:id')
@Authenticated()
export class MessageChangesController {
  constructor(
    private readonly edits: MessageEditService,
    private readonly reactions: ReactionsService,
    private readonly pins: PinsService,
  ) {}

  @Patch('messages/:seq')
  @Returns(200, changedView)
  edit(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
    @Body({ schema: editMessageBody }) fields: EditFields,
  ) {
    return this.edits.edit(actor, { c, seq, ...fields });
  }

  @Delete('messages/:seq')
  @Returns(200, changedView)
  delete(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
    @Query({ schema: deleteMessageQuery }) query: DeleteMessageQuery,
  ) {
    return this.edits.delete(actor, { c, seq, ...query });
  }

  @Put('messages/:seq/reactions/:emoji')
  @Returns(200, reactionsView)
  react(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
    @Param('emoji', { schema: emoji }) its: string,
  ) {
    return this.reactions.set(actor, { c, seq, emoji: its, on: true });
  }

  @Delete('messages/:seq/reactions/:emoji')
  @Returns(200, reactionsView)
  unreact(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
    @Param('emoji', { schema: emoji }) its: string,
  ) {
    return this.reactions.set(actor, { c, seq, emoji: its, on: false });
  }

  @Get('messages/:seq/reactions')
  @Returns(200, pageOf(reactorView))
  listReactions(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
    @Query({ schema: reactionListQuery }) query: ReactionListQuery,
  ) {
    return this.reactions.list(actor, c, seq, query);
  }

  @Put('messages/:seq/pin')
  @Returns(200, pinView)
  pin(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
  ) {
    return this.pins.set(actor, c, seq, true);
  }

  @Delete('messages/:seq/pin')
  @Returns(200, pinView)
  unpin(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Param('seq', { schema: seqParam }) seq: number,
  ) {
    return this.pins.set(actor, c, seq, false);
  }

  @Get('pins')
  @Returns(200, pageOf(messageView))
  listPins(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Query({ schema: pageQuery }) query: PageQuery,
  ) {
    return this.pins.list(actor, c, query);
  }
}
