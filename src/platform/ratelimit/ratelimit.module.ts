import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { LimitGuard } from './limit.guard.js';
import { RateLimiter } from './rate-limiter.js';

/** After AuthModule among the imports: guards run in that order, and limits are per user where there is one. */
@Global()
@Module({
  providers: [RateLimiter, { provide: APP_GUARD, useClass: LimitGuard }],
  exports: [RateLimiter],
})
export class RateLimitModule {}
