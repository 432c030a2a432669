import { filesIn, text } from './support/files.js';

const files = ['.yaml', '.yml', '.json', '.tf', '.md', '.txt'].flatMap((ending) => filesIn('deploy', ending));

it.each([...files, '.env.example', 'railway.json', 'Dockerfile'])(
  '%s: no account, host or secret of anybody',
  (file) => {
    const content = text(file);
    for (const [account] of content.matchAll(/\b\d{12}\b/g)) expect(account).toBe('000000000000');
    for (const [host] of content.matchAll(/https?:\/\/[\w.-]+/g))
      expect(host).toMatch(
        /example\.com|localhost|127\.0\.0\.1|railway\.com|json-schema\.org|object-store|amazonaws\.com|grafana\.com|sre\.google/,
      );
    expect(content).not.toMatch(/AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY/);
  },
);
