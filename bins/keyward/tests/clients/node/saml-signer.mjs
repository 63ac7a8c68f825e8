// Signs XML as it is told, right or wrong: a list of {xml, signatures} on the standard input, a list of texts on the
// standard output. A signature is {id, key, algorithm, digest, canonicalization, transforms, inclusive, keyInfo, also}:
// `also` names further elements to reference, `keyInfo` a certificate to send along.

import { createHash, createHmac, createSign } from "node:crypto";
import { text } from "node:stream/consumers";
import { SignedXml } from "xml-crypto";

const MORE = "http://www.w3.org/2001/04/xmldsig-more#";

const hash = (uri, name) =>
  class {
    getHash = (xml) => createHash(name).update(xml, "utf8").digest("base64");
    getAlgorithmName = () => uri;
  };

const signer = (uri, sign) =>
  class {
    getSignature = (data, key) => sign(data, key).toString("base64");
    getAlgorithmName = () => uri;
  };

// A transform that changes nothing, but calls itself something else.
const identity = (uri) =>
  class {
    process = (node) => node;
    getAlgorithmName = () => uri;
  };

const ecdsa = (name) => (data, key) =>
  createSign(name).update(data).sign({ key, dsaEncoding: "ieee-p1363" });
const hmac = (name) => (data, key) => createHmac(name, key).update(data).digest();
const rsa = (name) => (data, key) => createSign(name).update(data).sign(key);

const HASHES = [
  [`${MORE}sha384`, "sha384"],
  [`${MORE}md5`, "md5"],
];
const SIGNERS = [
  [`${MORE}rsa-sha384`, rsa("RSA-SHA384")],
  [`${MORE}rsa-md5`, rsa("RSA-MD5")],
  [`${MORE}ecdsa-sha256`, ecdsa("SHA256")],
  [`${MORE}ecdsa-sha384`, ecdsa("SHA384")],
  [`${MORE}hmac-sha256`, hmac("sha256")],
  ["http://www.w3.org/2000/09/xmldsig#hmac-sha1", hmac("sha1")],
];
const IDENTITIES = [
  "http://www.w3.org/TR/1999/REC-xpath-19991116",
  "http://www.w3.org/TR/1999/REC-xslt-19991116",
  "http://www.w3.org/2002/06/xmldsig-filter2",
];

function sign(xml, how) {
  const signed = new SignedXml({
    privateKey: how.key,
    publicCert: how.keyInfo,
    signatureAlgorithm: how.algorithm,
    canonicalizationAlgorithm: how.canonicalization,
    inclusiveNamespacesPrefixList: how.inclusive,
    ...(how.keyInfo ? {} : { getKeyInfoContent: () => null }),
  });
  for (const [uri, name] of HASHES) signed.HashAlgorithms[uri] = hash(uri, name);
  for (const [uri, make] of SIGNERS) signed.SignatureAlgorithms[uri] = signer(uri, make);
  for (const uri of IDENTITIES) signed.CanonicalizationAlgorithms[uri] = identity(uri);
  for (const id of [how.id, ...how.also]) {
    signed.addReference({
      xpath: `//*[@ID='${id}']`,
      transforms: how.transforms,
      digestAlgorithm: how.digest,
      inclusiveNamespacesPrefixList: how.inclusive,
    });
  }
  const into = how.into ?? how.id;
  signed.computeSignature(xml, {
    prefix: "ds",
    location: { reference: `//*[@ID='${into}']/*[local-name()='Issuer']`, action: "after" },
  });
  return signed.getSignedXml();
}

const jobs = JSON.parse(await text(process.stdin));
const results = jobs.map(({ xml, signatures }) => signatures.reduce(sign, xml));
process.stdout.write(JSON.stringify(results));
