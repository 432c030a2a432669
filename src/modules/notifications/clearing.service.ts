import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DelayedWork, type DueWork } from '../../platform/queue/delayed-work.js';
import { MessagesService } from '../messages/messages.service.js';
import * as decisions from './decisions.repository.js';
import { findDevice } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { PushProviders } from './push/push-providers.service.js';

const CLEAR = 'push.clear';

/** Takes notifications off the screens of the other devices once a message has been read on one. */
@Injectable()
export class ClearingService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly messages: MessagesService,
    private readonly devices: DevicesService,
    private readonly providers: PushProviders,
  ) {}

  onModuleInit(): void {
    this.work.consume({ queue: CLEAR, concurrency: 4, handle: (work) => this.clear(work) });
  }

  /** These users have read so far. Devices that show something older are told, once each. */
  async read(marks: readonly { userId: string; conversationId: string; readSeq: number }[]): Promise<void> {
    const shown = await decisions.listShown(this.database, marks);
    for (const { messageId, userId, conversationId } of shown) {
      const message = await this.messages.find(messageId);
      const mark = marks.find((m) => m.userId === userId && m.conversationId === conversationId);
      if (!message || !mark || mark.readSeq < message.seq) continue;
      await this.database.tx(async (tx) => {
        const taken = await decisions.takeShown(tx, userId, conversationId, messageId);
        const payloads = [...new Map(taken.map((row) => [row.deviceId, row])).values()].map((row) => ({
          ...row,
          conversationId,
        }));
        await this.work.add(
          payloads.map((payload) => ({ queue: CLEAR, key: userId, payload })),
          tx,
        );
      });
    }
  }

  private async clear({ id, payload }: DueWork): Promise<void> {
    const { userId, deviceId, messageId, conversationId, collapseKey } = payload as Record<string, string>;
    if (!userId || !deviceId || !messageId || !conversationId || !collapseKey) return;
    const device = await findDevice(this.database, userId, deviceId);
    if (!device?.enabled) return;
    const outcome = await this.providers.send(device.provider, this.devices.tokenOf(device), {
      id: `clear-${id}`,
      kind: 'clear',
      messageId,
      conversationId,
      seq: null,
      userId,
      deviceId,
      title: null,
      body: null,
      badge: null,
      collapseKey,
    });
    if (outcome.result === 'dead') await this.devices.bury(device);
    if (outcome.result === 'retry') throw new Error(`provider: ${outcome.status}`);
  }
}
