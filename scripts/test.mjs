#!/usr/bin/env node
// `npm test [jest arguments]`: prepares, runs the suite, ends with the line "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';

await prepare();
const folder = mkdtempSync(join(tmpdir(), 'parley-report-'));
const report = join(folder, 'report.json');
const jest = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${report}`, ...process.argv.slice(2)];
let code = await run(jest);
const counts = read();
rmSync(folder, { recursive: true, force: true });
if (counts) {
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  if (counts.failed > 0 && code === 0) code = 1;
}
process.exitCode = code;

/** A test file that could not even be loaded counts as one failure. Undefined where Jest ran no tests (`--listTests`). */
function read() {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    return undefined;
  }
}
