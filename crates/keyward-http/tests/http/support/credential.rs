//! The credential format of the contract, written down a second time.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// CRC-32 (ISO-HDLC).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    let feed = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(u32::MAX, feed)
}

/// `body` with its checksum of six base62 digits behind it.
pub(crate) fn with_checksum(body: &str) -> String {
    let mut rest = crc32(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}{}", String::from_utf8_lossy(&digits))
}

/// A well-formed credential of this kind and environment that nobody was given.
pub(crate) fn made_up(kind: char, environment: &str) -> String {
    with_checksum(&format!("kw{kind}_{environment}_{}", "7kQ".repeat(15).split_at(43).0))
}

/// Whether it has the form of the contract, the checksum included.
pub(crate) fn is_well_formed(credential: &str, prefix: &str) -> bool {
    let Some(random) = credential.strip_prefix(prefix) else { return false };
    let base62 = random.len() == 49 && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    base62 && with_checksum(&credential[..credential.len() - 6]) == credential
}

#[test]
fn vectors_of_the_contract() {
    let cases = [
        (format!("kws_test_{}", "0".repeat(43)), "1f86zh"),
        (format!("kwk_live_{}", "A".repeat(43)), "4A4xlL"),
        (format!("kwk_test_{}", "A".repeat(43)), "4a5LpT"),
        (format!("kwk_test_{}246", "0".repeat(40)), "00yn5R"),
    ];
    for (body, checksum) in cases {
        assert_eq!(with_checksum(&body), format!("{body}{checksum}"));
    }
}
