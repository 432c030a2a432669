import * as http from 'node:http';
import * as without from './http-without-fetch.js';

describe('http without fetch', () => {
  it('has every name of node:http but those that load fetch, and two that nothing here imports', () => {
    const missing = Object.keys(http).filter((name) => !(name in without));
    expect(missing.toSorted()).toEqual([
      'CloseEvent',
      'MessageEvent',
      'WebSocket',
      '_connectionListener',
      'setGlobalProxyFromEnv',
    ]);
  });

  it('has the same values', () => {
    expect(without.createServer).toBe(http.createServer);
    expect(without.request).toBe(http.request);
  });
});
