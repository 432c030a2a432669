import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type CreateWebhook, createWebhook, type UpdateWebhook, updateWebhook } from './dto/webhook.dto.js';
import { deliveryView, newWebhookView, webhookView } from './dto/webhook.view.js';
import { WebhooksService } from './webhooks.service.js';

@Controller('api/v1/admin')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get('webhooks')
  @Requires('webhooks.read')
  @Returns(200, pageOf(webhookView))
  list(@CurrentActor() actor: Actor) {
    return this.webhooks.list(actor);
  }

  /** The secret is shown in this answer only. */
  @Post('webhooks')
  @Requires('webhooks.write')
  @Returns(201, newWebhookView)
  create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createWebhook }) input: CreateWebhook,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.webhooks.create(actor, input, trace);
  }

  @Patch('webhooks/:id')
  @Requires('webhooks.write')
  @Returns(200, webhookView)
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: updateWebhook }) change: UpdateWebhook,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.webhooks.update(actor, id, change, trace);
  }

  @Delete('webhooks/:id')
  @Requires('webhooks.write')
  @Returns(204)
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string, @CurrentTrace() trace: RequestTrace) {
    return this.webhooks.remove(actor, id, trace);
  }

  @Post('webhooks/:id/test')
  @Requires('webhooks.write')
  @Returns(202)
  test(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string, @CurrentTrace() trace: RequestTrace) {
    return this.webhooks.test(actor, id, trace);
  }

  @Get('webhooks/:id/deliveries')
  @Requires('webhooks.read')
  @Returns(200, pageOf(deliveryView))
  deliveries(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: pageQuery }) query: PageQuery,
  ) {
    return this.webhooks.deliveries(actor, id, query);
  }

  @Post('webhook-deliveries/:id/replay')
  @Requires('webhooks.write')
  @Returns(202)
  replay(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string, @CurrentTrace() trace: RequestTrace) {
    return this.webhooks.replay(actor, id, trace);
  }
}
