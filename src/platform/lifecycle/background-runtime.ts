import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundWork } from './background-work.js';

/**
 * Starts the background work. It is a provider of the root module alone: Nest runs the root module's bootstrap hooks
 * after all others, so nothing runs in the background before every module is up.
 */
@Injectable()
export class BackgroundRuntime implements OnApplicationBootstrap {
  constructor(private readonly work: BackgroundWork) {}

  onApplicationBootstrap(): void {
    this.work.start();
  }
}
