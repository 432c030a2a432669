import type { ParleyEvents } from './parley-events.js';
import type { PresenceTuple } from './protocol.js';

interface Ports {
  /** Asks the server for the states of these people, and to be told from now on. */
  ask(userIds: string[]): Promise<{ states: PresenceTuple[] }>;
  tell(event: ParleyEvents['presence']): void;
}

/** Whose presence this device watches. The server forgets it with each connection. */
export class PresenceWatch {
  private watched: string[] = [];
  private readonly versions = new Map<string, number>();

  constructor(private readonly ports: Ports) {}

  /** Replaces the people before; asked for at once while there is a connection. */
  async set(userIds: string[], online: boolean): Promise<void> {
    this.watched = userIds;
    if (online) await this.ask();
  }

  connected(): void {
    if (this.watched.length > 0) void this.ask();
  }

  /** States as they come; one that is older than what was told is dropped. */
  told(states: readonly PresenceTuple[]): void {
    for (const [userId, state, lastSeen, ver] of states) {
      if (ver < (this.versions.get(userId) ?? 0)) continue;
      this.versions.set(userId, ver);
      this.ports.tell({ userId, state, lastSeen });
    }
  }

  private async ask(): Promise<void> {
    const { states } = await this.ports.ask(this.watched).catch(() => ({ states: [] }));
    this.told(states);
  }
}
