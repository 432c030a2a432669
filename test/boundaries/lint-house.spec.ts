import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/platform/config/package-root.js';

const service = (body: string): string =>
  `import { DatabaseService } from '../../platform/database/database.service.js';\nexport class A { ${body} }`;

/** Rule, file, and source that breaks it. */
const faults: [rule: string, file: string, source: string][] = [
  ['no-forward-ref', 'src/modules/a/a.module.ts', `import { forwardRef } from '@nestjs/common'; forwardRef(() => 1);`],
  ['no-barrel', 'src/modules/a/index.ts', `export * from './a.service.js';`],
  ['environment-in-config', 'src/modules/a/a.service.ts', `export const url = process.env.URL;`],
  ['clock-in-clock', 'src/modules/a/a.service.ts', `export const now = Date.now();`],
  ['clock-in-clock', 'src/modules/a/a.service.ts', `export const now = new Date();`],
  ['clock-in-clock', 'src/modules/a/a.service.ts', `export const n = Math.random();`],
  [
    'clock-in-clock',
    'src/modules/a/a.service.ts',
    `import { randomUUID } from 'node:crypto'; export const id = randomUUID();`,
  ],
  [
    'no-http-exception',
    'src/modules/a/a.service.ts',
    `import { NotFoundException } from '@nestjs/common'; throw new NotFoundException();`,
  ],
  [
    'gateway-decorator',
    'src/modules/a/a.gateway.ts',
    `import { WebSocketGateway } from '@nestjs/websockets'; export const g = WebSocketGateway;`,
  ],
  [
    'no-timer-decorator',
    'src/modules/a/a.service.ts',
    `import { Cron } from '@nestjs/schedule'; export const c = Cron;`,
  ],
  [
    'no-document-library',
    'src/modules/a/a.controller.ts',
    `import { ApiOperation } from '@nestjs/swagger'; export const o = ApiOperation;`,
  ],
  ['no-aws-sdk-v2', 'src/platform/storage/a.ts', `import AWS from 'aws-sdk'; export const a = AWS;`],
  ['no-aws-sdk-v2', 'src/platform/storage/a.ts', `export const s3 = () => import('aws-sdk/clients/s3');`],
  [
    'no-schema-guessing',
    'src/modules/a/a.repository.ts',
    'export const q = (t: string) => `SELECT to_regclass(${t}) IS NOT NULL`;',
  ],
  ['no-schema-guessing', 'src/modules/a/a.service.ts', `export const missing = (code: string) => code === 'P2021';`],
  [
    'no-kept-database-handle',
    'src/modules/a/a.repository.ts',
    service('db; constructor(database: DatabaseService) { this.db = database.prisma; }'),
  ],
  [
    'no-kept-database-handle',
    'src/modules/a/a.repository.ts',
    service('constructor(private readonly database: DatabaseService) {} sql = this.database.sql;'),
  ],
];

const sound: [file: string, source: string][] = [
  ['src/platform/storage/a.ts', `import { S3Client } from '@aws-sdk/client-s3'; export const a = S3Client;`],
  ['src/platform/database/a.ts', `export const q = 'SELECT to_regclass($1)';`],
  ['src/platform/config/config.ts', `export const url = process.env.URL;`],
  ['src/platform/clock/clock.ts', `export const now = (): number => Date.now();`],
  [
    'src/platform/realtime/gateway.decorator.ts',
    `import { WebSocketGateway } from '@nestjs/websockets'; export const g = WebSocketGateway;`,
  ],
  ['src/modules/a/a.service.ts', `export const then = new Date(0); // process.env, Date.now() and forwardRef in words`],
  ['src/modules/a/a.service.spec.ts', `export const now = Date.now();`],
  [
    'src/modules/a/a.repository.ts',
    service('constructor(private readonly database: DatabaseService) {} all() { return this.database.prisma; }'),
  ],
];

function lint(files: [file: string, source: string][]): string {
  const tree = mkdtempSync(join(tmpdir(), 'parley-lint-'));
  try {
    for (const [file, source] of files) {
      mkdirSync(dirname(join(tree, file)), { recursive: true });
      writeFileSync(join(tree, file), source);
    }
    return spawnSync(process.execPath, [join(packageRoot(), 'scripts/lint-house.mjs'), tree], { encoding: 'utf8' })
      .stderr;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

it('finds nothing in a sound tree', () => expect(lint(sound)).toBe(''));

it.each(faults)('%s is caught in %s: %s', (rule, file, source) => {
  expect(lint([[file, source]])).toMatch(new RegExp(`^${file}:\\d+ ${rule}: `, 'm'));
});
