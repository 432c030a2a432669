#!/usr/bin/env node
// `npm run deploy -- --staging <command> --staging-url <url> --production <command> --production-url <url> [--build <command>]`
// Build, staging, verify, production, verify: each step only after the one before went well. The commands are those of the
// platform (`railway up --service backend`, `helm upgrade ...`, `kubectl apply -k ...`); they get the version in VERSION, so that
// staging and production run the same artefact.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './node-runtime.mjs';

const text = { type: 'string' };
const { values } = parseArgs({
  options: { build: text, staging: text, 'staging-url': text, production: text, 'production-url': text },
});
const missing = ['staging', 'staging-url', 'production', 'production-url'].filter((name) => !values[name]);
if (missing.length > 0) {
  console.error(`npm run deploy: missing ${missing.map((name) => `--${name}`).join(', ')}`);
  process.exit(2);
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const verify = (url, ...flags) => [
  process.execPath,
  join(root, 'scripts/parley.mjs'),
  'verify',
  '--url',
  url,
  ...flags,
];
const steps = [
  ...(values.build ? [{ name: 'build', run: ['sh', '-c', values.build] }] : []),
  { name: 'deploy to staging', run: ['sh', '-c', values.staging] },
  { name: 'verify staging', run: verify(values['staging-url']) },
  { name: 'deploy to production', run: ['sh', '-c', values.production] },
  { name: 'verify production', run: verify(values['production-url'], '--production') },
];
for (const { name, run } of steps) {
  const [command, ...args] = run;
  console.log(`… ${name}`);
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, VERSION: version },
  });
  if (status !== 0) {
    console.error(`✗ ${name} failed; nothing after it was done`);
    process.exit(1);
  }
  console.log(`✓ ${name}`);
}
