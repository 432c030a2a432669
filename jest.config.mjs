// Jest compiles everything to CommonJS inside itself (ADR 0002): native ESM under Jest leaks about 10 MB per test file.
const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  resolver: '<rootDir>/test/support/jest-resolver.cjs',
  transform: { '\\.(ts|mts|js|mjs|cjs)$': '<rootDir>/test/support/jest-transform.cjs' },
  transformIgnorePatterns: [],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/test/.artifacts'],
};

/** A tier is a folder of tests with one way of being run. */
const tier = (displayName, testMatch, { timeout = 5_000, ...extra } = {}) => ({
  ...base,
  displayName,
  testMatch,
  ...extra,
  globals: { TEST_TIMEOUT: timeout },
  setupFilesAfterEnv: ['<rootDir>/test/support/timeout.cjs'],
});
const database = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  timeout: 60_000,
};

export default {
  coverageProvider: 'v8',
  maxWorkers: 2,
  projects: [
    tier('unit', ['<rootDir>/src/**/*.spec.ts', '<rootDir>/client/src/**/*.spec.ts']),
    tier('boundaries', ['<rootDir>/test/boundaries/**/*.spec.ts'], { timeout: 300_000 }),
    tier('integration', ['<rootDir>/test/integration/**/*.spec.ts'], database),
    tier('contract', ['<rootDir>/test/contract/**/*.spec.ts'], database),
    tier('e2e', ['<rootDir>/test/e2e/**/*.spec.ts'], { ...database, timeout: 180_000 }),
    tier('browser', ['<rootDir>/test/browser/**/*.spec.ts'], { ...database, timeout: 180_000 }),
    tier('lifecycle', ['<rootDir>/test/lifecycle/**/*.spec.ts'], { ...database, timeout: 180_000 }),
    tier('faults', ['<rootDir>/test/faults/**/*.spec.ts'], { ...database, timeout: 300_000 }),
    tier('checker', ['<rootDir>/test/checker/**/*.spec.ts'], { ...database, timeout: 300_000 }),
    tier('deploy', ['<rootDir>/test/deploy/**/*.spec.ts'], { timeout: 300_000 }),
  ],
};
