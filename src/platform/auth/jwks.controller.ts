import { Controller, Get, Header } from '@nestjs/common';
import { Public } from './auth.decorator.js';
import { SigningKeys } from './signing-keys.js';

@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  /** Public keys of every access token that may still be alive. */
  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=60')
  jwks() {
    return { keys: this.keys.publicKeys() };
  }
}
