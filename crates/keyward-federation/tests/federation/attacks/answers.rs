//! What the browser brings back.

use super::{attack, withstands};

#[tokio::test]
async fn answers_by_the_browser() {
    let (issuer, malformed) = (("answer", "wrong_issuer"), ("answer", "malformed"));
    withstands(&[
        attack("from another issuer", issuer, |script| {
            script.answers(&[("code", "c0de"), ("iss", &script.trap.clone())]);
        }),
        attack("from another issuer, which refuses", issuer, |script| {
            script.answers(&[("error", "access_denied"), ("iss", &script.trap.clone())]);
        }),
        attack("from nobody", ("answer", "issuer_missing"), |script| script.answers(&[("code", "c0de")]))
            .control(|script| {
                script.answers(&[("code", "c0de")]);
                script.says("authorization_response_iss_parameter_supported", None);
            }),
        attack("from another issuer, unannounced", issuer, |script| {
            script.answers(&[("code", "c0de"), ("iss", &script.trap.clone())]);
            script.says("authorization_response_iss_parameter_supported", None);
        }),
        attack("from two issuers", malformed, |script| {
            let issuer = script.issuer.clone();
            script.answers(&[("code", "c0de"), ("iss", &issuer), ("iss", &issuer)]);
        }),
        attack("with two codes", malformed, |script| {
            script.answer.push(("code".to_owned(), "c0de".to_owned()));
        }),
        attack("without a code", malformed, |script| script.answers(&[("iss", &script.issuer.clone())])),
        attack("with a code that is empty", malformed, |script| {
            script.answers(&[("code", ""), ("iss", &script.issuer.clone())]);
        }),
        attack("with a code without end", malformed, |script| {
            script.answers(&[("code", &"x".repeat(8_193)), ("iss", &script.issuer.clone())]);
        })
        .control(|script| script.answers(&[("code", &"x".repeat(8_192)), ("iss", &script.issuer.clone())])),
        attack("with a refusal", ("answer", "refused_by_provider"), |script| {
            let issuer = script.issuer.clone();
            script.answers(&[
                ("error", "access_denied"),
                ("error_description", "<b>no</b>\r\n"),
                ("iss", &issuer),
            ]);
        }),
        attack("with a refusal beside a code", ("answer", "refused_by_provider"), |script| {
            script.answer.push(("error".to_owned(), "access_denied".to_owned()));
        }),
        attack("of a trip to another provider", ("answer", "other_provider"), |script| {
            script.remembered = |text| text.replace("idp_test", "idp_other");
        }),
        attack("of a trip to another issuer", ("answer", "other_provider"), |script| {
            script.remembered = |text| text.replace("http://127.0.0.1", "http://127.0.0.9");
        }),
        attack("of a trip that nothing is known of", ("answer", "not_remembered"), |script| {
            script.remembered = |_| "{}".to_owned();
        }),
    ])
    .await;
}
