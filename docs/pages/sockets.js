// Renders /asyncapi.json: what a client sends, what it receives, and the members of each payload.
const main = document.querySelector('#sockets');

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

/** A JSON schema as a few words. */
function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return [...new Set(union.map((part) => typeOf(part)))].join(' | ');
  if (schema.type === 'array') {
    const items = schema.prefixItems
      ? `[${schema.prefixItems.map((item) => typeOf(item)).join(', ')}]`
      : `${typeOf(schema.items ?? {})}[]`;
    return items;
  }
  if (schema.type === undefined) return 'any';
  return [schema.type].flat().join(' | ') + (schema.format ? ` (${schema.format})` : '');
}

/** What else holds for a value. */
function limitsOf(schema) {
  const limits = [
    ['minLength', '≥ {} characters'],
    ['maxLength', '≤ {} characters'],
    ['minimum', '≥ {}'],
    ['maximum', '≤ {}'],
    ['minItems', '≥ {} items'],
    ['maxItems', '≤ {} items'],
  ];
  return limits
    .filter(([key]) => schema[key] !== undefined && Math.abs(schema[key]) !== Number.MAX_SAFE_INTEGER)
    .map(([key, text]) => text.replace('{}', schema[key]))
    .join(', ');
}

/** The members of an object, those of objects inside it with a dotted name. */
function rowsOf(schema, prefix = '') {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const inner = member.type === 'array' ? member.items : member;
    const path = `${prefix}${name}${member.type === 'array' && inner?.properties ? '[]' : ''}`;
    return [
      {
        path,
        required: schema.required?.includes(name) === true,
        type: typeOf(member),
        note: [limitsOf(member), member.description].filter(Boolean).join('. '),
      },
      ...(inner?.properties ? rowsOf(inner, `${path}.`) : []),
    ];
  });
}

function payloadOf(schema) {
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return element('div', ...variants.map(payloadOf));
  const rows = rowsOf(schema);
  if (rows.length === 0) return element('p', element('code', typeOf(schema)));
  const head = element('tr', ...['Member', 'Type', 'Note'].map((title) => element('th', title)));
  const body = rows.map(({ path, required, type, note }) =>
    element(
      'tr',
      element('td', element('code', required ? path : `${path}?`)),
      element('td', element('code', type)),
      element('td', note),
    ),
  );
  return element('table', element('thead', head), element('tbody', ...body));
}

function entryOf({ name, summary, payload }) {
  const line = element('summary', element('code', name));
  if (summary) line.append(element('span', summary));
  const entry = element('details', line, element('div', payloadOf(payload)));
  entry.id = name;
  return entry;
}

async function show() {
  const answer = await fetch('/asyncapi.json');
  if (!answer.ok) throw new Error(`/asyncapi.json answers ${answer.status}`);
  const { info, channels, components } = await answer.json();
  const messages = Object.entries(components.messages);
  const sent = messages.filter(([key]) => !key.startsWith('server_')).map(([, message]) => message);
  const received = messages.filter(([key]) => key.startsWith('server_')).map(([, message]) => message);
  main.replaceChildren(
    element('h1', `${info.title} ${info.version}`),
    element(
      'p',
      info.description,
      ' Namespace ',
      element('code', channels.v1.address),
      '. Each command is answered by an ack: ',
      element('code', '{ok: true, data}'),
      ' or ',
      element('code', '{ok: false, error}'),
      ', the problem object of REST.',
    ),
    element('h2', 'A client sends'),
    ...sent.map(entryOf),
    element('h2', 'A client receives'),
    ...received.map(entryOf),
  );
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named) named.open = true;
}

show().catch((error) => {
  main.replaceChildren(element('p', `The document cannot be shown: ${error.message}`));
});
