import { classOfRequest } from './admission.js';

it.each([
  ['GET', '/health', undefined],
  ['GET', '/metrics', undefined],
  ['GET', '/api/v1/health/detailed', undefined],
  ['PUT', '/api/system-health/settings', undefined],
  ['OPTIONS', '/api/v1/search/messages', undefined],
  ['GET', '/api/v1/search/messages', 'background'],
  ['POST', '/api/v1/users/me/exports', 'background'],
  ['GET', '/api/v1/conversations/1/export', 'background'],
  ['GET', '/api/v1/presence', 'hint'],
  ['GET', '/api/v1/conversations/1/messages', 'read'],
  ['POST', '/api/v1/media', 'read'],
  ['PUT', '/api/v1/conversations/1/receipts', 'receipt'],
  ['POST', '/api/v1/conversations/1/messages', 'essential'],
  ['POST', '/api/v1/sync', 'essential'],
  ['GET', '/api/v1/conversations/1/changes', 'essential'],
  ['POST', '/api/v1/auth/login', 'essential'],
])('%s %s is %s', (method, path, kind) => {
  expect(classOfRequest(method, path)).toBe(kind);
});
