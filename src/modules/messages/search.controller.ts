import { Controller, Get, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import { searchHitView, type SearchQuery, searchQuery } from './dto/search.dto.js';
import { SearchService } from './search.service.js';

@Controller('api/v1/search')
@Authenticated()
export class SearchController {
  constructor(private readonly search: SearchService) {}

  @Get('messages')
  @Limited('search')
  @Returns(200, pageOf(searchHitView))
  find(@CurrentActor() actor: Actor, @Query({ schema: searchQuery }) query: SearchQuery) {
    return this.search.search(actor, query);
  }
}
