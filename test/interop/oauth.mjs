// Goes through the standards with oauth4webapi, which checks of every reply whether it is what its RFC says. It gets the
// head's address, a refresh and an access token as JSON on its standard input, and writes what it got.
import { text } from 'node:stream/consumers';
import * as oauth from 'oauth4webapi';

const { issuer, refresh, access, subject, other } = JSON.parse(await text(process.stdin));
const plain = { [oauth.allowInsecureRequests]: true }; // the head of this test speaks HTTP on loopback
const client = { client_id: 'interop' };
const none = oauth.None();
const url = new URL(issuer);
const got = {};

// RFC 8414
const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...plain, algorithm: 'oauth2' }));
got.metadata = as;

// RFC 6749, 6
const renewed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, none, refresh, plain));
got.renewed = renewed;

async function who(token) {
  const reply = await oauth.protectedResourceRequest(token, 'GET', new URL('/api/v1/whoami', issuer), undefined, undefined, plain);
  return (await reply.json()).data;
}
got.who = await who(renewed.access_token);

async function exchange(parameters) {
  const reply = await oauth.genericTokenEndpointRequest(as, client, none, 'urn:ietf:params:oauth:grant-type:token-exchange',
    { subject_token: access, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...parameters }, plain);
  return oauth.processGenericTokenEndpointResponse(as, client, reply);
}

// RFC 8693: a narrower token for oneself, and one to act as somebody else
got.narrow = await exchange({ scope: 'NodesRead', lifetime: '60' });
got.acting = await exchange({ requested_subject: subject, purpose: 'interop' });
got.actingWho = await who(got.acting.access_token);

// What is refused is refused as the standard says.
async function refused(name, f) {
  try {
    await f();
    got[name] = 'not refused';
  } catch (e) {
    got[name] = e.error ?? `${e.name}: ${e.message}`;
  }
}
await refused('badRefresh', async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, none, access, plain)));
await refused('badScope', () => exchange({ scope: 'NoSuchPermission' }));
await refused('tooMuch', () => exchange({ requested_subject: other, purpose: 'interop' }));
await refused('badTarget', () => exchange({ audience: 'https://elsewhere.example' }));

// RFC 7662
const withToken = (_as, _client, _body, headers) => headers.set('authorization', `Bearer ${access}`);
async function introspect(token) {
  return oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, withToken, token, plain));
}
got.introspected = await introspect(got.acting.access_token);
got.garbage = await introspect('garbage');

// RFC 7009
async function revoke(token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, none, token, plain));
}
await revoke(got.acting.access_token);
await revoke('garbage');
got.afterwards = await introspect(got.acting.access_token);
await refused('afterRevocation', () => who(got.acting.access_token));
// With a refresh token goes what was made from its login (section 2.1).
await revoke(refresh);
await refused('accessAfterRevocation', () => who(access));
await refused('refreshAfterRevocation', async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, none, refresh, plain)));

process.stdout.write(JSON.stringify(got));
