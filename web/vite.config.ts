import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';
import { compress } from './compress.js';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env['PARLEY_URL'] ?? 'http://localhost:3000';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [preact(), compress()],
  resolve: { alias: { '@parley/client': file('../client/src/index.ts') } },
  build: {
    target: 'es2022',
    // Every browser this is built for preloads modules by itself.
    modulePreload: { polyfill: false },
    // Fonts and pictures stay files of their own: the policy of the pages allows no data: address for them.
    assetsInlineLimit: 0,
    rolldownOptions: { input: { demo: file('index.html'), ops: file('ops.html'), off: file('off.html') } },
  },
  // `npx vite web` while Parley runs: changes are seen at once.
  server: { proxy: { '/api': server, '/socket.io': { target: server, ws: true } } },
});
