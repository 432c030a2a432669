import { Injectable } from '@nestjs/common';
import { Actor } from '../../platform/auth/actor.js';
import { randomBuffer } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { HintLoss } from '../../platform/events/hint-loss.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { endAndReturn, isSupervised } from '../../platform/lifecycle/supervisor.js';
import { metrics } from '../../platform/logging/metrics.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { UsersService } from '../users/users.service.js';
import type { AgeHistory, Chaos, EnterWorld } from './dto/demo.dto.js';
import type { ChaosView, WorldView } from './dto/world.view.js';
import { notRestartable } from './demo.errors.js';

/** The people of a world; the rest of their story is told by the page. */
const cast = [
  ['ada', 'Ada Lindqvist'],
  ['ben', 'Ben Okafor'],
  ['chloe', 'Chloé Martin'],
  ['dev', 'Dev Patel'],
] as const;

/** What the demo page needs and no application may have. Nothing of it exists in production, whatever is configured. */
@Injectable()
export class DemoService {
  private readonly isOn: boolean;

  constructor(
    config: Config,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly loss: HintLoss,
  ) {
    this.isOn = config.demo && !config.isProduction;
  }

  /** Signs a whole world in, a new one where none is named. @throws not_found */
  async enter({ id, deviceId }: EnterWorld, origin: RequestOrigin): Promise<WorldView> {
    this.requireOn();
    const world = id ?? randomBuffer(5).toString('hex');
    const userIds = id === undefined ? await this.makePeople(world) : await this.findPeople(world);
    const device = { deviceId, name: 'Demo page', platform: 'web' as const };
    const people = await Promise.all(userIds.map((userId) => this.users.openSession(userId, device, origin)));
    return { id: world, created: id === undefined, people };
  }

  /** Makes messages look as if they had been sent long ago. @throws not_found to strangers */
  async age(actor: Actor, { conversationId, ages }: AgeHistory): Promise<void> {
    this.requireOn();
    await this.conversations.requireMember(actor, conversationId);
    await this.messages.age(conversationId, new Map(ages));
  }

  /** @throws not_found */
  async chaos(): Promise<ChaosView> {
    this.requireOn();
    const { values } = await metrics.messagesRepaired.get();
    return {
      loseHints: this.loss.everySecond,
      hintsLost: this.loss.lost,
      changesRepaired: values.reduce((sum, { value }) => sum + value, 0),
      restartable: isSupervised(),
    };
  }

  /** @throws not_found */
  setChaos({ loseHints }: Chaos): Promise<ChaosView> {
    this.requireOn();
    this.loss.everySecond = loseHints;
    return this.chaos();
  }

  /** SIGKILL is what a power cut is like, SIGTERM an orderly stop; whoever started this process starts it again. @throws not_found, invalid_state */
  restart(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.requireOn();
    if (!isSupervised()) throw notRestartable();
    endAndReturn(signal);
  }

  private requireOn(): void {
    if (!this.isOn) throw notFound();
  }

  private makePeople(world: string): Promise<string[]> {
    return Promise.all(
      cast.map(([name, displayName]) =>
        this.users.createAccount({
          identifier: { kind: 'email', value: `${name}.${world}@parley.example` },
          handle: `${name}_${world}`,
          displayName,
        }),
      ),
    );
  }

  private async findPeople(world: string): Promise<string[]> {
    const found = await this.users.listAccounts(Actor.system('demo'), { query: `_${world}`, limit: cast.length });
    const byHandle = new Map(found.items.map(({ handle, id }) => [handle, id]));
    return cast.map(([name]) => {
      const id = byHandle.get(`${name}_${world}`);
      if (id === undefined) throw notFound();
      return id;
    });
  }
}
