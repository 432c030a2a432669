import { newId } from '../../../src/platform/clock/clock.js';
import { PgBus } from '../../../src/platform/events/pg-bus.driver.js';
import { createLog } from '../../../src/platform/logging/create-log.js';
import type { Log } from '../../../src/platform/logging/log.js';
import { query, useDatabase } from '../../support/database.js';
import { conformance, Ear, eventOf, eventually } from './bus-conformance.js';

const database = useDatabase();
let log: Log;
beforeAll(async () => {
  log = await createLog({ level: 'silent', pretty: false, base: {} });
});
const make = async (url = database.url) => {
  const bus = new PgBus(url, newId(), log);
  await bus.start();
  return bus;
};

describe('the PostgreSQL bus', () => {
  conformance(make);

  it('comes back after its connection was cut', async () => {
    const [a, b] = await Promise.all([make(), make()]);
    const ear = new Ear(b);
    await query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley/bus' AND datname = $1",
      [database.name],
    );
    await eventually(() => !a.connected || !b.connected);
    await eventually(() => a.connected && b.connected);
    a.send(eventOf());
    await ear.until(() => ear.events.length > 0);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('starts without a server, is not connected and loses what it is given', async () => {
    const bus = await make('postgresql://nobody:x@127.0.0.1:1/none');
    expect(bus.connected).toBe(false);
    bus.advance({ feed: 'conversation', id: newId(), rev: 1 });
    bus.send(eventOf());
    await bus.stop();
  });

  it('ignores what it does not understand', async () => {
    const bus = await make();
    const ear = new Ear(bus);
    for (const text of ['', 'not json', 'null', '[]', '{"r":5}', '{"other":1}'])
      await query("SELECT pg_notify('parley_bus', $1)", [text], database.url);
    const event = eventOf();
    await query("SELECT pg_notify('parley_bus', $1)", [JSON.stringify({ r: newId(), e: [event] })], database.url);
    await ear.until(() => ear.events.length > 0);
    expect(ear.events).toEqual([event]);
    await bus.stop();
  });
});
