import { join } from 'node:path';
import { capabilities, modules, publicFiles } from './test/boundaries/boundaries.mjs';

const names = (list) => `(${list.join('|')})`;
const insideModules = (list) => `^src/modules/${names(list)}/`;
const packages = (list) => `(^|/)node_modules/${names(list)}(/|$)`;
const rule = (name, comment, from, to, more = {}) => ({ name, comment, severity: 'error', from, to, ...more });

const known = Object.keys(modules);
const everyCapability = capabilities.flat();
const transport = packages([
  'express',
  'helmet',
  'socket\\.io',
  '@nestjs/(websockets|platform-express|platform-socket\\.io|swagger)',
]);

const cycles = [
  rule('no-cycle', 'Two files that need each other are one file, or miss a third.', {}, { circular: true }),
  rule(
    'no-folder-cycle',
    'Modules and capabilities are layers: many folders can be one lump without a single cycle of files.',
    { path: '^src/(modules|platform)/[^/]+$' },
    { path: '^src/(modules|platform)/[^/]+$', circular: true },
    { scope: 'folder' },
  ),
];

const moduleRules = [
  rule(
    'module-without-row',
    'Give the new module its row in test/boundaries/boundaries.mjs and in docs/architecture.md.',
    { path: `^src/modules/(?!${names(known)}/)[^/]+/` },
    {},
  ),
  rule(
    'module-private-file',
    'Of another module only <m>.module, <m>.service, <m>.events and dto/*.view may be imported.',
    { path: '^src/modules/([^/]+)/' },
    {
      path: '^src/modules/(?!$1/)[^/]+/',
      pathNot: known.map((name) => `^src/modules/${name}/${publicFiles.replace('$1', name)}`),
    },
  ),
  rule(
    'module-private-file-from-outside',
    'The platform and the entries know no private file of a module.',
    { path: '^src/(?!modules/)' },
    { path: '^src/modules/', pathNot: known.map((name) => `^src/modules/${name}/${publicFiles.replace('$1', name)}`) },
  ),
  ...known.map((name) =>
    rule(
      `module-row-${name}`,
      `${name} may call: ${modules[name].join(', ') || 'nobody'}. To reach a module above, publish an event.`,
      { path: insideModules([name]) },
      { path: '^src/modules/', pathNot: insideModules([name, ...modules[name]]) },
    ),
  ),
];

const platformRules = [
  rule(
    'platform-knows-no-module',
    'Modules own features, the platform owns technology.',
    { path: '^src/platform/' },
    { path: '^src/(modules/|[^/]+\\.ts$|cli/)' },
  ),
  rule(
    'composition-root',
    'Only app.ts and the test setup import app.module.ts.',
    { path: '^(src|test|bench)/', pathNot: '^(src/app\\.ts|test/support/.*)$' },
    { path: '^src/app\\.module\\.ts$' },
  ),
  rule(
    'capability-without-row',
    'Give the new capability its place in test/boundaries/boundaries.mjs and in docs/architecture.md.',
    { path: `^src/platform/(?!${names(everyCapability)}/)` },
    {},
  ),
  ...capabilities.flatMap((row, index) =>
    row.map((name) =>
      rule(
        `capability-order-${name}`,
        `${name} may import the capabilities of the rows above its own.`,
        { path: `^src/platform/${name}/` },
        { path: '^src/platform/', pathNot: `^src/platform/${names([name, ...capabilities.slice(0, index).flat()])}/` },
      ),
    ),
  ),
];

const fileRules = [
  rule(
    'prisma-in-repositories',
    'Prisma and its client: only repositories and platform/database.',
    { path: '^src/', pathNot: '^src/(generated|platform/database)/|\\.repository\\.ts$' },
    { path: ['^src/generated/', packages(['@prisma', 'prisma'])] },
  ),
  rule(
    'lifecycle-stands-alone',
    'The schema lifecycle imports pg, Node and itself: it could be published as it stands.',
    { path: '^src/platform/database/lifecycle/', pathNot: '\\.spec\\.ts$' },
    {
      pathNot: ['^src/platform/database/lifecycle/', packages(['pg', '@types/pg', '@types/node'])],
      dependencyTypesNot: ['core'],
    },
  ),
  rule(
    'domain-knows-no-transport',
    'Service, repository, rules, events and errors serve REST, sockets and jobs alike.',
    { path: '^src/modules/.*\\.(service|repository|rules|events|errors)\\.ts$' },
    { path: ['\\.(controller|gateway)\\.ts$', transport] },
  ),
  rule(
    'transport-knows-no-repository',
    'Controllers and gateways parse, call the service, return.',
    { path: '\\.(controller|gateway)\\.ts$' },
    { path: '\\.repository\\.ts$' },
  ),
];

const workspaceRules = [
  rule(
    'outside-knows-no-source',
    'client, web and bench speak the protocol.',
    { path: '^(client|web|bench)/' },
    { path: '^src/' },
  ),
  rule(
    'source-knows-no-outside',
    'The server knows none of its clients.',
    { path: '^src/' },
    { path: '^(client|web|bench)/' },
  ),
  rule(
    'web-through-client',
    'The pages reach the server through client/.',
    { path: '^web/src/' },
    { path: packages(['socket\\.io-client']) },
  ),
];

export const forbidden = [...cycles, ...moduleRules, ...platformRules, ...fileRules, ...workspaceRules];

export default {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules|^src/generated|(^|/)dist/' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: join(import.meta.dirname, 'tsconfig.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    skipAnalysisNotInRules: false,
  },
};
