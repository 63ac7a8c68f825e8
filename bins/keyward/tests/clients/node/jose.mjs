// jose: verifies access tokens as an API would, with the keys that the metadata point to.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { alg, audience, checkClaims, issuer, verified } from './expected.mjs';

export async function verify(token, jwksUri) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const requiredClaims = ['sub', 'jti', 'iat', 'exp'];
  const options = { typ: 'at+jwt', issuer, audience, algorithms: [alg], requiredClaims };
  const { payload } = await jwtVerify(token, keys, options);
  checkClaims(payload);
  verified('jose: signature, typ, issuer, audience and claims');
  const elsewhere = { ...options, audience: 'https://elsewhere.example/api' };
  await assert.rejects(jwtVerify(token, keys, elsewhere), errors.JWTClaimValidationFailed);
  verified('jose: another audience is refused');
}
