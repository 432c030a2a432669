import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { presenceMode, type PresenceQuery, presenceQuery, type SetPresenceMode } from './dto/presence.dto.js';
import { presenceListView, roomPresenceView } from './dto/presence.view.js';
import { PresenceService } from './presence.service.js';

@Controller('api/v1')
@Authenticated()
export class PresenceController {
  constructor(private readonly presence: PresenceService) {}

  @Get('presence')
  @Returns(200, presenceListView)
  async states(@CurrentActor() actor: Actor, @Query({ schema: presenceQuery }) { ids }: PresenceQuery) {
    return { items: await this.presence.states(actor, ids) };
  }

  /** How the caller appears: as their devices say, as do-not-disturb, or not at all. */
  @Put('presence/me')
  @Returns(204)
  async setMode(@CurrentActor() actor: Actor, @Body({ schema: presenceMode }) { mode }: SetPresenceMode) {
    await this.presence.setMode(actor, mode);
  }

  @Get('conversations/:id/presence')
  @Returns(200, roomPresenceView)
  ofConversation(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.presence.ofConversation(actor, id);
  }
}
