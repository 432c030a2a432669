// Code that touches the database at every moment at which a feature could try to, planted into a built server. What
// each attempt came to is a line `decoy <name>: <outcome>` on standard output.
//   DECOYS=watch        each tells how it went
//   DECOYS=constructor  the one in the constructor does not catch what it gets
//   DECOYS=throw        onModuleInit throws after the database was used
//   DECOYS=hang         onModuleInit never ends
//   DECOYS=signal       a stop signal comes while the modules are made
import { once } from 'node:events';
import { Global, Module } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';

export function decoys(DatabaseService, BackgroundWork, sql) {
  const mode = process.env.DECOYS;
  const tell = (name, outcome) => process.stdout.write(`decoy ${name}: ${outcome}\n`);
  const touch = (database, name) => database.query(sql([`SELECT 'decoy:${name}'`]));
  const attempt = (database, name) =>
    touch(database, name).then(
      () => tell(name, 'answered'),
      (error) => tell(name, error.name),
    );

  class Decoy {
    constructor(database, work) {
      this.database = database;
      if (mode === 'constructor') database.connections.query('SELECT 1');
      void attempt(database, 'constructor');
      work.registerJob({ name: 'decoy', every: 50, run: () => attempt(database, 'job') });
      work.registerTask({ name: 'decoy-consumer', start: () => attempt(database, 'consumer'), stop: () => undefined });
    }
    async onModuleInit() {
      await attempt(this.database, 'init');
      if (mode === 'throw') throw new Error('the decoy does not start');
      if (mode === 'hang') await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    }
    onApplicationShutdown() {
      tell('shutdown', 'reached');
    }
  }

  class Gateway {
    constructor(database) {
      this.database = database;
    }
    afterInit() {
      return attempt(this.database, 'gateway');
    }
  }
  Reflect.defineMetadata('design:paramtypes', [DatabaseService], Gateway);
  WebSocketGateway()(Gateway);
  Reflect.defineMetadata('design:paramtypes', [DatabaseService, BackgroundWork], Decoy);

  class Decoys {}
  Global()(Decoys);
  Module({
    providers: [
      Decoy,
      // Nest's gateways are not Parley's (ADR 0004): it cannot close the server it made for this one.
      ...(mode === 'watch' ? [Gateway] : []),
      {
        provide: 'DECOY',
        inject: [DatabaseService],
        useFactory: async (database) => {
          await attempt(database, 'factory');
          if (mode === 'signal') {
            process.kill(process.pid, 'SIGTERM');
            await once(process, 'SIGTERM');
          }
          return true;
        },
      },
    ],
  })(Decoys);
  return Decoys;
}
