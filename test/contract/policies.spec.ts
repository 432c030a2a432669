import { Controller, Get, Post } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { z } from 'zod';
import { Authenticated, Requires } from '../../src/platform/auth/auth.decorator.js';
import { PolicyCheck } from '../../src/platform/auth/policy-check.js';
import { CommandRegistry } from '../../src/platform/realtime/command-registry.js';
import { Command, Gateway } from '../../src/platform/realtime/gateway.decorator.js';
import { createTestApp } from '../support/app.js';
import { connect, register } from '../support/people.js';

@Controller('half')
class HalfDecided {
  @Get()
  @Authenticated()
  decided() {
    return {};
  }
  @Post('open')
  undecided() {
    return {};
  }
}

@Gateway()
class Undecided {
  @Command('test.undecided', z.object({}))
  undecided() {
    return {};
  }
}

@Gateway()
@Authenticated()
class Decided {
  @Command('test.user', z.object({}))
  user() {
    return {};
  }
  @Command('test.admin', z.object({}))
  @Requires('audit.read')
  admin() {
    return {};
  }
}

const boot = (controllers: (typeof HalfDecided)[], providers: unknown[]) =>
  Test.createTestingModule({ imports: [DiscoveryModule], controllers, providers: providers as never[] })
    .compile()
    .then((module) => module.init());

it('a route without a policy keeps the application from starting, and is named', async () => {
  await expect(boot([HalfDecided], [PolicyCheck])).rejects.toThrow(
    /routes without a policy: POST \/half\/open \(HalfDecided.undecided\)/,
  );
});

it('a socket event without one does as well', async () => {
  await expect(boot([], [CommandRegistry, Undecided])).rejects.toThrow(
    /test.undecided has no policy \(Undecided.undecided\)/,
  );
});

it('the policy of a method goes before that of its class', async () => {
  const module = await boot([], [CommandRegistry, Decided]);
  expect(
    module
      .get(CommandRegistry)
      .all()
      .map(({ event, policy }) => [event, policy]),
  ).toEqual([
    ['test.user', 'user'],
    ['test.admin', { permission: 'audit.read' }],
  ]);
  await module.close();
});

it('and is asked before anything of the event is read', async () => {
  const app = await createTestApp();
  const registry = app.app.nest.get(CommandRegistry);
  jest.spyOn(registry, 'get').mockReturnValue({
    event: 'test.admin',
    schema: z.object({}),
    policy: { permission: 'audit.read' },
    handle: () => ({}),
  });
  const socket = await connect(await register(app.url));
  expect(await socket.emit('test.admin', 'no object')).toMatchObject({
    ok: false,
    error: { code: 'forbidden', permission: 'audit.read' },
  });
  socket.close();
  await app.close();
});
