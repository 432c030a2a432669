import { type DynamicModule, Global, Module } from '@nestjs/common';
import { BackgroundWork } from './background-work.js';
import { BootState } from './boot-state.js';
import { Breakers } from './breakers.js';
import { HealthRegistry } from './health-registry.js';
import { Load } from './load.js';

/** The process's own state. `BackgroundRuntime` is not here: it belongs to the root module. */
@Global()
@Module({})
export class LifecycleModule {
  static register(boot: BootState): DynamicModule {
    return {
      module: LifecycleModule,
      providers: [{ provide: BootState, useValue: boot }, BackgroundWork, Breakers, HealthRegistry, Load],
      exports: [BootState, BackgroundWork, Breakers, HealthRegistry, Load],
    };
  }
}
