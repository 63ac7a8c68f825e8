// samlify as an identity provider: reads our request and our metadata, answers with a signed response.
import samlify from "samlify";

// The other side of these tests validates; samlify only wants to be told that somebody does.
samlify.setSchemaValidator({ validate: async () => "valid" });

const { binding } = samlify.Constants.namespace;
const { context } = samlify.SamlLib.defaultLoginResponseTemplate;
const attribute = (name) => ({
  name,
  valueTag: name,
  nameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
  valueXsiType: "xs:string",
});

function identityProvider(given, location) {
  const address = location.origin + location.pathname;
  return samlify.IdentityProvider({
    entityID: given.entityId,
    privateKey: given.key,
    signingCert: given.certificate,
    isAssertionEncrypted: false,
    requestSignatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    nameIDFormat: [given.format],
    singleSignOnService: [
      { Binding: binding.redirect, Location: address },
      { Binding: binding.post, Location: address },
    ],
    loginResponseTemplate: { context, attributes: ["mail", "displayName", "group"].map(attribute) },
  });
}

function serviceProvider(given) {
  return samlify.ServiceProvider({
    metadata:
      given.sign === "message"
        ? given.metadata.replace('WantAssertionsSigned="true"', 'WantAssertionsSigned="false"')
        : given.metadata,
    wantMessageSigned: given.sign !== "assertion",
  });
}

// What the template of the response becomes.
function filling(given, idp, sp, request, now) {
  const later = new Date(now.getTime() + 5 * 60 * 1000).toISOString();
  return (template) => {
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
      attrGroup: given.user.group ?? "none",
    };
    const whole = template.replace("{AuthnStatement}", statement);
    return { id, context: samlify.SamlLib.replaceTagsByValue(whole, values) };
  };
}

// Answers the request in an address. `given` is {location, metadata, entityId, key, certificate, sign, format, user};
// `sign` is "assertion", "message" or "both". What comes of it is {response, relayState, metadata, request, now}: the
// form field, what came with the request, samlify's metadata, the request as XML, and when it answered.
export async function answer(given) {
  const location = new URL(given.location);
  const idp = identityProvider(given, location);
  const sp = serviceProvider(given);
  const query = Object.fromEntries(location.searchParams);
  const request = await idp.parseLoginRequest(sp, "redirect", { query });
  const now = new Date();
  const made = await idp.createLoginResponse(sp, request, "post", given.user, {
    customTagReplacement: filling(given, idp, sp, request, now),
    relayState: query.RelayState,
  });
  return {
    response: made.context,
    relayState: made.relayState,
    metadata: idp.getMetadata(),
    request: request.samlContent,
    now: now.toISOString(),
  };
}
