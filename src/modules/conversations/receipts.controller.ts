import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type PutReceipt, putReceipt, receiptsAnswer } from './dto/receipt.dto.js';
import { meView } from './dto/me.view.js';
import { unreadExplanation, unreadTotals } from './dto/unread.view.js';
import { ReceiptsService } from './receipts.service.js';
import { UnreadService } from './unread.service.js';

@Controller('api/v1')
@Authenticated()
export class ReceiptsController {
  constructor(
    private readonly receipts: ReceiptsService,
    private readonly unread: UnreadService,
  ) {}

  @Get('conversations/:id/receipts')
  @Returns(200, receiptsAnswer)
  async list(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return { items: await this.receipts.list(actor, id) };
  }

  @Put('conversations/:id/receipts')
  @Returns(200, meView)
  put(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: putReceipt }) input: PutReceipt,
  ) {
    return this.receipts.put(actor, id, input);
  }

  @Get('conversations/:id/unread')
  @Returns(200, unreadExplanation)
  explain(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.unread.explain(actor, id);
  }

  @Get('unread')
  @Returns(200, unreadTotals)
  totals(@CurrentActor() actor: Actor) {
    return this.unread.totals(actor.userId);
  }
}
