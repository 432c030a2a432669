import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../platform/errors/domain-error.js';

const policy = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Compared with when there is no account: costs what a real comparison costs, and nothing equals it. */
const decoy = `$argon2id$v=19$m=${policy.memoryCost},t=${policy.timeCost},p=${policy.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const MAX_WAITING = 200;

/**
 * argon2id, on the thread pool of the runtime and never on all of it, so that a wave of logins neither blocks the event
 * loop nor starves file and DNS work, and holds at most a few times 19 MiB.
 */
@Injectable()
export class PasswordsService {
  private free = Math.max(1, Math.min(availableParallelism(), 4) - 1);
  private readonly waiting: (() => void)[] = [];

  /** @throws overloaded when too many wait already */
  hash(password: string): Promise<string> {
    return this.exclusively(async () => {
      const argon2 = await import('@node-rs/argon2');
      return argon2.hash(password.normalize('NFC'), policy);
    });
  }

  /** Whether the password is right. Takes the same time when there is nothing to compare with. @throws overloaded */
  verify(stored: string | null | undefined, password: string): Promise<boolean> {
    return this.exclusively(async () => {
      const argon2 = await import('@node-rs/argon2');
      const right = await argon2.verify(stored ?? decoy, password.normalize('NFC'));
      return right && stored !== null && stored !== undefined;
    });
  }

  /** Whether a stored password was hashed with other costs than today's. */
  async isOutdated(stored: string): Promise<boolean> {
    const { parseOptions } = await import('@node-rs/argon2');
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    return memoryCost !== policy.memoryCost || timeCost !== policy.timeCost || parallelism !== policy.parallelism;
  }

  private async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free -= 1;
    else {
      if (this.waiting.length >= MAX_WAITING)
        throw new DomainError('overloaded', { detail: 'Too many sign-ins at once' });
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      // The place goes to the longest waiting, without becoming free in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}
