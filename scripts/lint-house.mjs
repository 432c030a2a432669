#!/usr/bin/env node
// The rules of the house that need a look at the syntax: docs/architecture.md, section "Boundary check", rule 7. They
// stand here and not in .oxlintrc.json because there overlapping overrides of one rule replace each other silently.
// Usage: node scripts/lint-house.mjs [folder with src/]
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './node-runtime.mjs';

const isSpec = /\.spec\.ts$/;
// The lifecycle could be published as it stands; the boot responder answers before anything of ours is loaded.
const withoutClock = /^src\/platform\/(database\/lifecycle\/|lifecycle\/boot-responder\.ts$)/;
const entries = /^src\/(main|start|start-failure|cli)\.ts$|^src\/cli\//;

/** What asks whether a table or column is there, or reacts to its absence. */
const SCHEMA_QUESTION = /\b(information_schema|to_regclass|pg_attribute|42703|42P01|P2021|P2022)\b/;

/** Name, where it holds, what it finds in a node, and what to do instead. */
const rules = [
  {
    name: 'no-forward-ref',
    where: () => true,
    finds: (node) => isIdentifier(node, 'forwardRef'),
    instead: 'publish an event, or register with a lower module',
  },
  {
    name: 'no-barrel',
    where: (file) => /(^|\/)index\.ts$/.test(file),
    finds: (node) => ts.isSourceFile(node),
    instead: 'import the file itself',
  },
  {
    name: 'environment-in-config',
    where: (file) => !file.startsWith('src/platform/config/') && !entries.test(file),
    finds: (node) => isMember(node, 'process', ['env']),
    instead: 'inject Config',
  },
  {
    name: 'clock-in-clock',
    where: (file) => !file.startsWith('src/platform/clock/') && !withoutClock.test(file),
    finds: (node) =>
      isMember(node, 'Date', ['now']) ||
      isMember(node, 'Math', ['random']) ||
      isIdentifier(node, 'randomUUID') ||
      (ts.isNewExpression(node) && isIdentifier(node.expression, 'Date') && !node.arguments?.length),
    instead: 'take time, ids and randomness from platform/clock',
  },
  {
    name: 'no-http-exception',
    where: (file) => !/\.(controller|gateway|filter|guard)\.ts$/.test(file) && file.startsWith('src/modules/'),
    finds: (node) => isImported(node, '@nestjs/common', /Exception$/),
    instead: 'throw a DomainError of <module>.errors.ts',
  },
  {
    name: 'gateway-decorator',
    where: (file) => !file.startsWith('src/platform/realtime/'),
    finds: (node) => isImported(node, '@nestjs/websockets', /^WebSocketGateway$/),
    instead: 'wear @Gateway() of platform/realtime, which brings the filter',
  },
  {
    name: 'no-timer-decorator',
    where: () => true,
    finds: (node) => isImported(node, '@nestjs/schedule', /^(Cron|Interval|Timeout)$/),
    instead: 'register the job with BackgroundRuntime, which starts after the boot',
  },
  {
    name: 'no-document-library',
    where: () => true,
    finds: (node) => isImported(node, '@nestjs/swagger', /./),
    instead:
      'wear @Undocumented() or @Returns() of platform/http; only openapi.ts loads it, when it is asked for a document',
  },
  {
    name: 'no-aws-sdk-v2',
    where: () => true,
    finds: (node) => isModule(node, /^aws-sdk(\/|$)/),
    instead: 'use the client of @aws-sdk for that one service; version 2 is out of support',
  },
  {
    name: 'no-schema-guessing',
    where: (file) => !file.startsWith('src/platform/database/'),
    finds: (node) =>
      (ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) && SCHEMA_QUESTION.test(node.text),
    instead: 'rely on the schema: the boot has compared it with the manifest, and the guard goes on doing so',
  },
  {
    name: 'no-kept-database-handle',
    where: () => true,
    finds: (node) => ts.isConstructorDeclaration(node) && keepsHandle(node),
    instead: 'keep DatabaseService and ask it for prisma, sql or tx at each use',
  },
];

function isIdentifier(node, name) {
  return ts.isIdentifier(node) && node.text === name;
}

/** `object.name` or `object['name']`. */
function isMember(node, object, names) {
  const property = ts.isPropertyAccessExpression(node)
    ? node.name.text
    : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
      ? node.argumentExpression.text
      : undefined;
  return property !== undefined && names.includes(property) && isIdentifier(node.expression, object);
}

function isImported(node, from, name) {
  if (!ts.isImportSpecifier(node)) return false;
  const declaration = node.parent.parent.parent;
  return declaration.moduleSpecifier.text === from && name.test((node.propertyName ?? node.name).text);
}

/** The name of a module where one is loaded: import, export from, import(), require(). */
const isModule = (node, name) =>
  ts.isStringLiteralLike(node) &&
  name.test(node.text) &&
  (ts.isImportDeclaration(node.parent) ||
    ts.isExportDeclaration(node.parent) ||
    ts.isExternalModuleReference(node.parent) ||
    (ts.isCallExpression(node.parent) && node.parent.arguments[0] === node));

/** Whether a constructor, or an initialiser beside it, reads `.prisma` or `.sql` of an injected database. */
function keepsHandle(constructor) {
  const databases = constructor.parameters
    .filter((parameter) => parameter.type?.getText() === 'DatabaseService')
    .map((parameter) => parameter.name.getText());
  const reads = (node) =>
    ((ts.isPropertyAccessExpression(node) || ts.isBindingElement(node)) && handleOf(node, databases)) ||
    (!ts.isFunctionLike(node) && ts.forEachChild(node, reads)) ||
    false;
  const fields = constructor.parent.members.filter((member) => ts.isPropertyDeclaration(member) && member.initializer);
  return [constructor.body, ...fields.map((field) => field.initializer)].some((part) => part && reads(part));
}

function handleOf(node, databases) {
  if (ts.isBindingElement(node)) return ['prisma', 'sql'].includes((node.propertyName ?? node.name).getText());
  return (
    ['prisma', 'sql', 'tx'].includes(node.name.text) &&
    databases.includes(node.expression.getText().replace(/^this\./, ''))
  );
}

function check(folder) {
  const found = [];
  for (const entry of readdirSync(join(folder, 'src'), { recursive: true })) {
    const file = `src/${entry.replaceAll('\\', '/')}`;
    if (!file.endsWith('.ts') || file.startsWith('src/generated/')) continue;
    const active = rules.filter(({ where, name }) => where(file) && (name === 'no-barrel' || !isSpec.test(file)));
    const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node) => {
      for (const rule of active) {
        if (!rule.finds(node)) continue;
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${file}:${line + 1} ${rule.name}: ${rule.instead}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

const found = check(process.argv[2] ?? root);
for (const line of found) console.error(line);
if (found.length > 0) process.exitCode = 1;
