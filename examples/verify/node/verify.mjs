// Checks a token of Bridgehead from the public key alone, with the package jose (npm install jose).
//
//   node verify.mjs KEY < token
//
// KEY is the public key in base64, as JWT_PUBLIC_KEY has it, or the address of the head's key set.
import { text } from 'node:stream/consumers';
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose';

export async function verify(token, key) {
  const { payload } = await jwtVerify(token, key, {
    algorithms: ['EdDSA'], // never what the token says
    issuer: 'bridgehead',
    audience: 'bridgehead',
    requiredClaims: ['exp', 'sub', 'jti'],
  });
  return payload;
}

export function readKey(where) {
  if (where.startsWith('http')) return createRemoteJWKSet(new URL(where));
  return importJWK({ kty: 'OKP', crv: 'Ed25519', x: Buffer.from(where, 'base64').toString('base64url') }, 'EdDSA');
}

try {
  console.log(JSON.stringify(await verify((await text(process.stdin)).trim(), await readKey(process.argv[2]))));
} catch (why) {
  console.error(`refused: ${why.message}`);
  process.exitCode = 1;
}
