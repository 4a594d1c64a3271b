// Makes and reads session cookies as a web site with next-auth does: its own encoder, and its own splitting into parts.
// Standard input: [{"secret","claims","maxAge","secure"} | {"secret","token"}]; one JSON line per entry.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const { encode, decode } = require('next-auth/jwt');
// Not among the exports of the package, so by its path.
const { SessionStore, defaultCookies } = require('./node_modules/next-auth/core/lib/cookie.js');

for (const asked of JSON.parse(readFileSync(0, 'utf8'))) {
  console.log(JSON.stringify(asked.token ? await read(asked) : await make(asked)));
}

async function read({ token, secret }) {
  return { claims: await decode({ token, secret }) };
}

async function make({ secret, claims, maxAge, secure }) {
  const token = await encode({ token: claims, secret, maxAge });
  const store = new SessionStore(defaultCookies(secure).sessionToken, { cookies: {} }, { debug() {} });
  return { token, cookies: store.chunk(token, {}).map(({ name, value }) => ({ name, value })) };
}
