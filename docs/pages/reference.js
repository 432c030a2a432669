// The reference of the REST API. In development "try it" is signed in as somebody of a demo world made for this tab.
const notice = document.querySelector('#notice');

async function developmentToken() {
  const answer = await fetch('/api/v1/demo/world', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ deviceId: crypto.randomUUID?.() }),
  }).catch(() => undefined);
  if (!answer?.ok) return undefined;
  const { people } = await answer.json();
  return people[0];
}

void developmentToken().then(show, () => show(undefined));

function show(person) {
  notice.textContent = person
    ? `Development: requests are made as ${person.user.displayName}, whose token is filled in.`
    : 'No development token here (it is off in production): put in an access token of your own to try requests.';
  if (typeof Scalar === 'undefined') {
    document.querySelector('#reference').textContent =
      'The reference is not built: npm run build. The document is /openapi.json.';
    return;
  }
  Scalar.createApiReference('#reference', {
    url: '/openapi.json',
    // Nothing is loaded from, or sent to, anywhere else.
    withDefaultFonts: false,
    telemetry: false,
    proxyUrl: '',
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: 'never',
    hideClientButton: true,
    defaultOpenAllTags: false,
    authentication: {
      preferredSecurityScheme: 'bearer',
      securitySchemes: { bearer: { token: person?.tokens.accessToken ?? '' } },
    },
  });
}
