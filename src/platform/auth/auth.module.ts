import { Global, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { Actors } from './actors.js';
import { AuthGuard } from './auth.guard.js';
import { KeptSecrets } from './kept-secrets.js';
import { JwksController } from './jwks.controller.js';
import { PolicyCheck } from './policy-check.js';
import { SecretBox } from './secret-box.js';
import { SigningKeys } from './signing-keys.js';
import { TokenService } from './token.service.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  controllers: [JwksController],
  providers: [
    SecretBox,
    KeptSecrets,
    SigningKeys,
    TokenService,
    Actors,
    PolicyCheck,
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
  exports: [SecretBox, KeptSecrets, SigningKeys, TokenService, Actors, PolicyCheck],
})
export class AuthModule {}
