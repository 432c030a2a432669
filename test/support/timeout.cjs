// Jest ignores `testTimeout` inside a project, so a tier passes its own as a global.
jest.setTimeout(globalThis.TEST_TIMEOUT);
