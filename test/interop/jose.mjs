// Judges and makes tokens with npm's jose: a line of JSON in, a line of JSON out.
//
//	{"jwk": {...}}                        the key, first
//	{"verify": TOKEN, "now": SECONDS}     {"claims": {...}} or {"error": "..."}
//	{"sign": CLAIMS, "header": HEADER}    {"token": "..."}
import { createInterface } from 'node:readline';
import { SignJWT, importJWK, jwtVerify } from 'jose';

let signer, verifier;

async function answer(ask) {
  if (ask.jwk) {
    const { d, ...open } = ask.jwk;
    verifier = await importJWK(open, 'EdDSA');
    signer = d && await importJWK(ask.jwk, 'EdDSA');
    return {};
  }
  if (ask.sign) return { token: await new SignJWT(ask.sign).setProtectedHeader(ask.header).sign(signer) };
  const options = { algorithms: ['EdDSA', 'Ed25519'], clockTolerance: 30, currentDate: new Date(ask.now * 1000) };
  const { payload } = await jwtVerify(ask.verify, verifier, options);
  return { claims: payload };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = await answer(JSON.parse(line));
  } catch (e) {
    reply = { error: `${e.code ?? e.name}: ${e.message}` };
  }
  process.stdout.write(JSON.stringify(reply) + '\n');
}
