import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type ExplainFor, explainFor, type ReplayDecisions, replayDecisions } from './dto/decision.dto.js';
import { explanationView } from './dto/decision.view.js';
import { type ListDeadLetters, listDeadLetters } from './dto/queue.dto.js';
import { deadLetterView, queuesView, replayedView } from './dto/queue.view.js';
import { ExplainService } from './explain.service.js';
import { QueuesService } from './queues.service.js';

@Controller('api/v1/admin')
export class QueuesController {
  constructor(
    private readonly queues: QueuesService,
    private readonly explanations: ExplainService,
  ) {}

  @Get('queues')
  @Requires('queues.read')
  @Returns(200, queuesView)
  depths(@CurrentActor() actor: Actor) {
    return this.queues.depths(actor);
  }

  @Get('dead-letters')
  @Requires('queues.read')
  @Returns(200, pageOf(deadLetterView))
  list(@CurrentActor() actor: Actor, @Query({ schema: listDeadLetters }) query: ListDeadLetters) {
    return this.queues.list(actor, query);
  }

  @Post('dead-letters/:id/replay')
  @Requires('queues.replay')
  @Returns(202)
  replay(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string, @CurrentTrace() trace: RequestTrace) {
    return this.queues.replay(actor, id, trace);
  }

  @Delete('dead-letters/:id')
  @Requires('queues.replay')
  @Returns(204)
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string, @CurrentTrace() trace: RequestTrace) {
    return this.queues.remove(actor, id, trace);
  }

  /** Failed pushes are decided and tried again. */
  @Post('notifications/replay')
  @Requires('queues.replay')
  @Returns(202, replayedView)
  replayDecisions(
    @CurrentActor() actor: Actor,
    @Body({ schema: replayDecisions }) which: ReplayDecisions,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.explanations.replay(actor, which, trace);
  }

  /** Why a user's devices rang for a message, or did not. */
  @Get('notifications/explain')
  @Requires('notifications.explain')
  @Returns(200, explanationView)
  explain(@CurrentActor() actor: Actor, @Query({ schema: explainFor }) { messageId, userId }: ExplainFor) {
    return this.explanations.explainFor(actor, messageId, userId);
  }
}
