import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newId, newSecret } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError, notFound, validationFailed } from '../../platform/errors/domain-error.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { PrivateAddressError, resolvePublic } from '../../platform/http/outgoing-post.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { DeedsService } from './deeds.service.js';
import type { CreateWebhook, UpdateWebhook } from './dto/webhook.dto.js';
import {
  type DeliveryView,
  type NewWebhookView,
  toDeliveryView,
  toWebhookView,
  type WebhookView,
} from './dto/webhook.view.js';
import * as webhooks from './webhooks.repository.js';

const MAX_ENDPOINTS = 20;
const CURSOR = 'webhook-deliveries';
export const SEALED_AS = 'webhook-secret';
const permission = 'webhooks.write';

/** Where the host application wants to hear of events, and what became of telling it. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly database: DatabaseService,
    private readonly config: Config,
    private readonly box: SecretBox,
    private readonly deeds: DeedsService,
  ) {}

  /** @throws forbidden */
  async list(actor: Actor): Promise<{ items: WebhookView[]; next: null; prev: null }> {
    requirePermission(actor, 'webhooks.read');
    return { items: (await webhooks.listEndpoints(this.database)).map(toWebhookView), next: null, prev: null };
  }

  /** @throws forbidden, validation_failed for a private address, limit_exceeded */
  async create(actor: Actor, input: CreateWebhook, trace: RequestTrace): Promise<NewWebhookView> {
    requirePermission(actor, permission);
    await this.requireFit(input.url);
    const secret = newSecret();
    const row: webhooks.EndpointRow = {
      id: newId(),
      ...input,
      description: input.description ?? null,
      secretEnc: this.box.seal(SEALED_AS, secret),
      failures: 0,
      disabledAt: null,
    };
    const view = toWebhookView(row);
    await this.database.tx(async (tx) => {
      await webhooks.lockEndpoints(tx);
      if ((await webhooks.listEndpoints(tx)).length >= MAX_ENDPOINTS)
        throw new DomainError('limit_exceeded', { limit: 'webhooks', max: MAX_ENDPOINTS });
      await webhooks.saveEndpoint(tx, row);
      await this.deeds.record(tx, actor, { ...deed('create', row.id), after: view }, trace);
    });
    return { ...view, secret };
  }

  /** Enabling forgets the failures. @throws forbidden, not_found, validation_failed */
  async update(actor: Actor, id: string, change: UpdateWebhook, trace: RequestTrace): Promise<WebhookView> {
    requirePermission(actor, permission);
    if (change.url !== undefined) await this.requireFit(change.url);
    return this.database.tx(async (tx) => {
      const before = await webhooks.lockEndpoint(tx, id);
      if (!before) throw notFound();
      const row: webhooks.EndpointRow = {
        ...before,
        url: change.url ?? before.url,
        events: change.events ?? before.events,
        enabled: change.enabled ?? before.enabled,
        description: change.description ?? before.description,
        ...(change.enabled === true ? { failures: 0, disabledAt: null } : {}),
      };
      await webhooks.saveEndpoint(tx, row);
      const after = toWebhookView(row);
      await this.deeds.record(tx, actor, { ...deed('update', id), before: toWebhookView(before), after }, trace);
      return after;
    });
  }

  /** With all its deliveries. @throws forbidden */
  async remove(actor: Actor, id: string, trace: RequestTrace): Promise<void> {
    requirePermission(actor, permission);
    await this.database.tx(async (tx) => {
      if ((await webhooks.deleteEndpoint(tx, id)) > 0) await this.deeds.record(tx, actor, deed('delete', id), trace);
    });
  }

  /** Sends an event of type `webhook.test`, whatever the endpoint subscribed to. @throws forbidden, not_found */
  async test(actor: Actor, id: string, trace: RequestTrace): Promise<void> {
    requirePermission(actor, permission);
    await this.database.tx(async (tx) => {
      if (!(await webhooks.lockEndpoint(tx, id))) throw notFound();
      const event = { endpointId: id, eventId: `test-${newId()}`, type: 'webhook.test', payload: { endpointId: id } };
      await webhooks.insertDeliveries(tx, [event]);
      await this.deeds.record(tx, actor, deed('test', id), trace);
    });
  }

  /** Newest first. @throws forbidden, not_found, invalid_cursor */
  async deliveries(actor: Actor, endpointId: string, { cursor, limit }: PageQuery): Promise<Page<DeliveryView>> {
    requirePermission(actor, 'webhooks.read');
    // There are twenty at most.
    const endpoints = await webhooks.listEndpoints(this.database);
    if (!endpoints.some(({ id }) => id === endpointId)) throw notFound();
    const [before = null] = cursor === undefined ? [] : decodeCursor(CURSOR, cursor, z.tuple([z.uuid()]));
    const rows = await webhooks.listDeliveries(this.database, endpointId, before, limit + 1);
    return toPage(rows, limit, toDeliveryView, ({ id }) => encodeCursor(CURSOR, [id]));
  }

  /** Delivers once more, under the same event id. @throws forbidden, not_found */
  async replay(actor: Actor, deliveryId: string, trace: RequestTrace): Promise<void> {
    requirePermission(actor, permission);
    await this.database.tx(async (tx) => {
      if (!(await webhooks.reopenDelivery(tx, deliveryId))) throw notFound();
      await this.deeds.record(tx, actor, { ...deed('replay', deliveryId), targetType: 'webhook_delivery' }, trace);
    });
  }

  /** Enters what each subscribed endpoint is to be told. A repeated event is passed over. */
  async enter(events: readonly DeliveredEvent[]): Promise<void> {
    const endpoints = (await webhooks.listEndpoints(this.database)).filter(({ enabled }) => enabled);
    const rows = events.flatMap(({ id: eventId, topic: type, payload }) =>
      endpoints
        .filter((endpoint) => endpoint.events.includes(type))
        .map(({ id: endpointId }) => ({ endpointId, eventId, type, payload })),
    );
    if (rows.length > 0) await webhooks.insertDeliveries(this.database, rows);
  }

  /** A name that does not resolve yet passes: it is judged again at every delivery. */
  private async requireFit(url: string): Promise<void> {
    try {
      await resolvePublic(new URL(url).hostname, this.config.WEBHOOK_ALLOW_PRIVATE);
    } catch (error) {
      if (error instanceof PrivateAddressError)
        throw validationFailed({ path: 'url', code: 'private_address', message: 'A private address' });
    }
  }
}

const deed = (verb: string, targetId: string) => ({
  action: `webhook.${verb}`,
  permission,
  targetType: 'webhook',
  targetId,
});
