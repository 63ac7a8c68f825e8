// samlify as an identity provider: reads our request and our metadata, answers with a signed response.
// The standard input has {location, metadata, entityId, key, certificate, sign, format, user}; `sign` is "assertion",
// "message" or "both". The standard output has {response, relayState, metadata, request, now}: the form field,
// what came with the request, samlify's metadata, the request as XML, and when it answered.

import { text } from "node:stream/consumers";
import samlify from "samlify";

const given = JSON.parse(await text(process.stdin));
// The other side of these tests validates; samlify only wants to be told that somebody does.
samlify.setSchemaValidator({ validate: async () => "valid" });

const { binding } = samlify.Constants.namespace;
const location = new URL(given.location);
const context = samlify.SamlLib.defaultLoginResponseTemplate.context;
const attribute = (name, valueTag) => ({
  name,
  valueTag,
  nameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
  valueXsiType: "xs:string",
});
const idp = samlify.IdentityProvider({
  entityID: given.entityId,
  privateKey: given.key,
  signingCert: given.certificate,
  isAssertionEncrypted: false,
  requestSignatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  nameIDFormat: [given.format],
  singleSignOnService: [
    { Binding: binding.redirect, Location: location.origin + location.pathname },
    { Binding: binding.post, Location: location.origin + location.pathname },
  ],
  loginResponseTemplate: {
    context,
    attributes: [attribute("mail", "mail"), attribute("displayName", "displayName")],
  },
});
const sp = samlify.ServiceProvider({
  metadata:
    given.sign === "message"
      ? given.metadata.replace('WantAssertionsSigned="true"', 'WantAssertionsSigned="false"')
      : given.metadata,
  wantMessageSigned: given.sign !== "assertion",
});

const query = Object.fromEntries(location.searchParams);
const request = await idp.parseLoginRequest(sp, "redirect", { query });
const now = new Date();
const later = new Date(now.getTime() + 5 * 60 * 1000).toISOString();
const fill = (template) => {
  const consumer = sp.entityMeta.getAssertionConsumerService("post");
  const id = idp.entitySetting.generateID();
  const statement =
    `<saml:AuthnStatement AuthnInstant="${now.toISOString()}" SessionIndex="${id}"><saml:AuthnContext>` +
    "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport" +
    "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>";
  const values = {
    ID: id,
    AssertionID: idp.entitySetting.generateID(),
    Destination: consumer,
    Audience: sp.entityMeta.getEntityID(),
    SubjectRecipient: consumer,
    Issuer: idp.entityMeta.getEntityID(),
    IssueInstant: now.toISOString(),
    StatusCode: samlify.Constants.StatusCode.Success,
    ConditionsNotBefore: now.toISOString(),
    ConditionsNotOnOrAfter: later,
    SubjectConfirmationDataNotOnOrAfter: later,
    NameIDFormat: given.format,
    NameID: given.user.nameId,
    InResponseTo: request.extract.request.id,
    attrMail: given.user.mail,
    attrDisplayName: given.user.displayName,
  };
  const whole = template.replace("{AuthnStatement}", statement);
  return { id, context: samlify.SamlLib.replaceTagsByValue(whole, values) };
};
const answer = await idp.createLoginResponse(sp, request, "post", given.user, {
  customTagReplacement: fill,
  relayState: query.RelayState,
});

process.stdout.write(
  JSON.stringify({
    response: answer.context,
    relayState: answer.relayState,
    metadata: idp.getMetadata(),
    request: request.samlContent,
    now: now.toISOString(),
  }),
);
