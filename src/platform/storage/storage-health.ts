import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { HealthRegistry } from '../lifecycle/health-registry.js';
import { Log } from '../logging/log.js';
import { Storage } from './storage.js';
import { storageDown } from './storage.errors.js';

const GOOD_FOR_MS = 15_000;
/** A store that is down is asked again sooner. */
const BAD_FOR_MS = 5000;
const TIMEOUT_MS = 2000;

/** What is known of the store: never critical, since nothing but files needs it. */
@Injectable()
export class StorageHealth implements OnModuleInit, OnApplicationShutdown {
  private asked: { at: number; answer: Promise<unknown> } | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly health: HealthRegistry,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.health.register({
      name: 'storage',
      critical: false,
      timeoutMs: TIMEOUT_MS,
      cacheMs: GOOD_FOR_MS,
      check: () => this.storage.check(),
    });
    if (this.storage.driver === 'disk' && this.config.isProduction)
      this.log.warn(
        'storage.on_disk',
        {},
        'files are kept on disk, which all replicas have to share; see S3_BUCKET_NAME',
      );
  }

  onApplicationShutdown(): void {
    this.storage.close();
  }

  /** Refuses work that would fail later at the client. @throws dependency_unavailable */
  async requireUp(): Promise<void> {
    const { asked } = this;
    const fresh = asked !== undefined && monotonicMs() - asked.at < GOOD_FOR_MS;
    await (fresh ? asked.answer : this.ask());
  }

  /** Somebody has met a store that does not work: it is asked before anything else is sent there. */
  suspect(): void {
    this.asked = undefined;
  }

  private ask(): Promise<unknown> {
    const answer = this.storage.check().catch((error: unknown) => {
      if (this.asked?.answer === answer) this.asked.at -= GOOD_FOR_MS - BAD_FOR_MS;
      throw storageDown(error);
    });
    this.asked = { at: monotonicMs(), answer };
    return answer;
  }
}
