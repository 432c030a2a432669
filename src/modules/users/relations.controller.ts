import { Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { userView } from './dto/user.view.js';
import { RelationsService } from './relations.service.js';

@Controller('api/v1/users/me')
@Authenticated()
export class RelationsController {
  constructor(private readonly relations: RelationsService) {}

  @Get('contacts')
  @Returns(200, pageOf(userView))
  contacts(@CurrentActor() actor: Actor, @Query({ schema: pageQuery }) query: PageQuery) {
    return this.relations.contacts(actor, query);
  }

  /** Users who have the caller among their contacts. */
  @Get('followers')
  @Returns(200, pageOf(userView))
  followers(@CurrentActor() actor: Actor, @Query({ schema: pageQuery }) query: PageQuery) {
    return this.relations.followers(actor, query);
  }

  @Put('contacts/:userId')
  @Returns(204)
  addContact(@CurrentActor() actor: Actor, @Param('userId', { schema: uuid }) userId: string) {
    return this.relations.addContact(actor, userId);
  }

  @Delete('contacts/:userId')
  @Returns(204)
  removeContact(@CurrentActor() actor: Actor, @Param('userId', { schema: uuid }) userId: string) {
    return this.relations.removeContact(actor, userId);
  }

  @Get('blocks')
  @Returns(200, pageOf(userView))
  blocks(@CurrentActor() actor: Actor, @Query({ schema: pageQuery }) query: PageQuery) {
    return this.relations.blocks(actor, query);
  }

  @Put('blocks/:userId')
  @Returns(204)
  block(@CurrentActor() actor: Actor, @Param('userId', { schema: uuid }) userId: string) {
    return this.relations.block(actor, userId);
  }

  @Delete('blocks/:userId')
  @Returns(204)
  unblock(@CurrentActor() actor: Actor, @Param('userId', { schema: uuid }) userId: string) {
    return this.relations.unblock(actor, userId);
  }
}
