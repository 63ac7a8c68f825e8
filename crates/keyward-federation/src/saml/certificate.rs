//! Certificates that an administrator has pinned, and what is verified with their keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_model::Timestamp;
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    bn::BigNum,
    ecdsa::EcdsaSig,
    hash::MessageDigest,
    nid::Nid,
    pkey::{Id, PKey, Public},
    sign::Verifier,
    x509::X509,
};

const PEM: &str = "-----BEGIN CERTIFICATE-----";
const RSA_BITS: std::ops::RangeInclusive<u32> = 2_048..=8_192;

/// The kind of key that a signature asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    Ec,
}

/// A certificate: its key and how long it counts. Who issued it does not matter, as it is pinned.
pub(super) struct Certificate {
    key: PKey<Public>,
    /// The first moment at which it counts.
    pub(super) not_before: Timestamp,
    /// The last.
    pub(super) not_after: Timestamp,
}

impl Certificate {
    /// Whether it counts at this moment.
    pub(super) fn is_in_date(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether its key has made this signature. A key of another kind than the algorithm's has made none.
    pub(super) fn verifies(
        &self,
        kind: KeyKind,
        digest: MessageDigest,
        data: &[u8],
        signature: &[u8],
    ) -> bool {
        let signature = match (kind, self.key.id()) {
            (KeyKind::Rsa, Id::RSA) => Some(signature.to_vec()),
            (KeyKind::Ec, Id::EC) => self.sequence_of(signature),
            _ => None,
        };
        let Some(signature) = signature else { return false };
        let verified = Verifier::new(digest, &self.key)
            .and_then(|mut verifier| verifier.verify_oneshot(&signature, data));
        // OpenSSL answers with an error to a signature of the wrong form, too.
        verified.unwrap_or(false)
    }

    /// XML signatures have the two numbers one after the other (RFC 6931 section 2.3.6), OpenSSL wants ASN.1.
    fn sequence_of(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let size = usize::try_from(self.key.bits()).ok()?.div_ceil(8);
        if signature.len() != 2 * size {
            return None;
        }
        let (r, s) = signature.split_at(size);
        let numbers = BigNum::from_slice(r).and_then(|r| Ok((r, BigNum::from_slice(s)?)));
        numbers.and_then(|(r, s)| EcdsaSig::from_private_components(r, s)?.to_der()).ok()
    }
}

/// Reads certificates: any number of them in PEM, or one as bare base64. The error is a sentence.
pub(super) fn read(text: &str) -> Result<Vec<Certificate>, String> {
    let parsed = if text.contains(PEM) {
        X509::stack_from_pem(text.as_bytes())
            .map_err(|_| "The certificate is not readable as PEM.".to_owned())?
    } else {
        let bare: String = text.split_ascii_whitespace().collect();
        let der = STANDARD
            .decode(bare)
            .map_err(|_| "The certificate is neither PEM nor base64 of a certificate.".to_owned())?;
        vec![X509::from_der(&der).map_err(|_| "The certificate's base64 is not a certificate.".to_owned())?]
    };
    parsed.iter().map(certificate).collect()
}

fn certificate(parsed: &X509) -> Result<Certificate, String> {
    let key = parsed.public_key().map_err(|_| "The certificate's key is not readable.".to_owned())?;
    match key.id() {
        Id::RSA if !RSA_BITS.contains(&key.bits()) => {
            let bits = key.bits();
            return Err(format!(
                "The certificate's RSA key has {bits} bits; from 2048 to 8192 are accepted."
            ));
        }
        Id::RSA => {}
        Id::EC => {
            let curve = key.ec_key().ok().and_then(|key| key.group().curve_name());
            let known = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
            if !curve.is_some_and(|curve| known.contains(&curve)) {
                return Err(
                    "The certificate's key is on a curve other than P-256, P-384 and P-521.".to_owned()
                );
            }
        }
        _ => return Err("The certificate's key is neither RSA nor ECDSA.".to_owned()),
    }
    let unreadable = || "The certificate's dates are not readable.".to_owned();
    let not_before = moment(parsed.not_before()).ok_or_else(unreadable)?;
    let not_after = moment(parsed.not_after()).ok_or_else(unreadable)?;
    Ok(Certificate { key, not_before, not_after })
}

fn moment(at: &Asn1TimeRef) -> Option<Timestamp> {
    let since = Asn1Time::from_unix(0).ok()?.diff(at).ok()?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    Timestamp::from_unix_millis(seconds.checked_mul(1_000)?)
}
