import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AntiEntropy } from './anti-entropy.js';
import { Arrivals } from './arrivals.js';
import { CommandDispatcher } from './command-dispatcher.js';
import { CommandRegistry } from './command-registry.js';
import { Connections } from './connections.js';
import { Feeds } from './feeds.js';
import { HandshakeGate } from './handshake-gate.js';
import { Handshakes } from './handshakes.js';
import { HeadsHints } from './heads-hints.js';
import { ReplicaLease } from './replica-lease.js';
import { RoomSequencer } from './room-sequencer.js';
import { Rooms } from './rooms.js';
import { ServerEpoch } from './server-epoch.js';
import { SessionGateway } from './session.gateway.js';
import { SlowSockets } from './slow-sockets.js';
import { SocketGrants } from './socket-grants.js';
import { Sockets } from './sockets.js';
import { UserSequencer } from './user-sequencer.js';

/** Sockets and what is told through them. Global, because every module with rows of a feed or a gateway takes part. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    AntiEntropy,
    Arrivals,
    CommandDispatcher,
    CommandRegistry,
    Connections,
    Feeds,
    HandshakeGate,
    Handshakes,
    HeadsHints,
    ReplicaLease,
    RoomSequencer,
    Rooms,
    ServerEpoch,
    SessionGateway,
    SlowSockets,
    SocketGrants,
    Sockets,
    UserSequencer,
  ],
  exports: [
    CommandRegistry,
    Connections,
    Feeds,
    ReplicaLease,
    RoomSequencer,
    Rooms,
    ServerEpoch,
    Sockets,
    UserSequencer,
  ],
})
export class RealtimeModule {}
