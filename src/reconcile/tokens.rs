//! Identifiers of rows and sightings in one normal form, and how much each proves.

use super::names::{Name, name_key};
use crate::model::{Hex, Identifier, KeyId, Kind, Md5Hex, Sha1Hex, Sha256Hex, Sighting};

/// One identifier in normal form: equal tokens name the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Token {
    CertSha256(Sha256Hex),
    CertSha1(Sha1Hex),
    CertMd5(Md5Hex),
    IssuerSerial(String, String),
    Serial(String),
    Spki(Sha256Hex),
    KeyId(KeyId),
    SshSha256(Sha256Hex),
    SshMd5(Md5Hex),
    Pgp(String),
    Jwk(String),
    Keygrip(Hex<20>),
    Ski(String),
    PgpKeyId(String),
    Pkcs11Id(String),
}

/// By what a row and a key were brought together; certificates first, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Method {
    CertSha256,
    CertSha1,
    IssuerSerial,
    CertMd5,
    /// A serial of 64 bits or more, unique, with agreeing date or subject.
    Serial,
    SpkiSha256,
    KeyId,
    SshSha256,
    PgpFingerprint,
    JwkThumbprint,
    Keygrip,
    SshMd5,
    // From here on weak.
    SerialAlone,
    Ski,
    PgpKeyId,
    Pkcs11Id,
    Subject,
    Name,
    Path,
}

impl Method {
    /// The word used in records.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::CertSha256 => "cert_sha256",
            Self::CertSha1 => "cert_sha1",
            Self::IssuerSerial => "issuer_serial",
            Self::CertMd5 => "cert_md5",
            Self::Serial | Self::SerialAlone => "serial",
            Self::SpkiSha256 => "spki_sha256",
            Self::KeyId => "key_id",
            Self::SshSha256 => "ssh_sha256",
            Self::PgpFingerprint => "pgp_fingerprint",
            Self::JwkThumbprint => "jwk_thumbprint",
            Self::Keygrip => "keygrip",
            Self::SshMd5 => "ssh_md5",
            Self::Ski => "ski",
            Self::PgpKeyId => "pgp_keyid",
            Self::Pkcs11Id => "pkcs11_id",
            Self::Subject => "subject",
            Self::Name => "name",
            Self::Path => "path",
        }
    }

    /// Whether it proves that they are the same.
    pub(super) fn is_strong(self) -> bool {
        self < Self::SerialAlone
    }

    /// Whether it names a certificate rather than a key.
    pub(super) fn names_certificate(self) -> bool {
        self <= Self::Serial || self == Self::SerialAlone
    }

    /// Its bit in a set of methods.
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl Token {
    /// What a match on it is worth before a serial was looked at closely.
    pub(super) const fn method(&self) -> Method {
        match self {
            Self::CertSha256(_) => Method::CertSha256,
            Self::CertSha1(_) => Method::CertSha1,
            Self::CertMd5(_) => Method::CertMd5,
            Self::IssuerSerial(..) => Method::IssuerSerial,
            Self::Serial(_) => Method::SerialAlone,
            Self::Spki(_) => Method::SpkiSha256,
            Self::KeyId(_) => Method::KeyId,
            Self::SshSha256(_) => Method::SshSha256,
            Self::SshMd5(_) => Method::SshMd5,
            Self::Pgp(_) => Method::PgpFingerprint,
            Self::Jwk(_) => Method::JwkThumbprint,
            Self::Keygrip(_) => Method::Keygrip,
            Self::Ski(_) => Method::Ski,
            Self::PgpKeyId(_) => Method::PgpKeyId,
            Self::Pkcs11Id(_) => Method::Pkcs11Id,
        }
    }
}

/// What a row's identifier can mean.
pub(super) fn of_identifier(identifier: &Identifier) -> Vec<Token> {
    match identifier {
        Identifier::KeyId(id) => vec![of_key_id(id)],
        Identifier::CertOrSpkiSha256(d) => vec![Token::CertSha256(*d), Token::Spki(*d)],
        Identifier::SpkiSha256(d) => vec![Token::Spki(*d)],
        Identifier::CertSha256(d) => vec![Token::CertSha256(*d)],
        Identifier::CertSha1(d) => vec![Token::CertSha1(*d)],
        Identifier::Md5(d) => vec![Token::CertMd5(*d), Token::SshMd5(*d)],
        Identifier::Sha1OrPgp(d) => vec![
            Token::CertSha1(*d),
            Token::Pgp(d.to_string().to_ascii_uppercase()),
            Token::Keygrip(*d),
            Token::Ski(d.to_string()),
        ],
        Identifier::SshSha256(d) => vec![Token::SshSha256(*d)],
        Identifier::SshMd5(d) => vec![Token::SshMd5(*d)],
        Identifier::IssuerSerial { issuer, serial } => {
            vec![Token::IssuerSerial(name_key(issuer), serial_form(serial))]
        }
        Identifier::Serial(serial) => vec![Token::Serial(serial_form(serial))],
        Identifier::Ski(ski) => vec![Token::Ski(hex_form(ski))],
        Identifier::JwkThumbprint(text) => vec![Token::Jwk(text.to_string())],
        Identifier::PgpFingerprint(text) => vec![Token::Pgp(hex_form(text).to_ascii_uppercase())],
        Identifier::PgpKeyId(text) => vec![Token::PgpKeyId(hex_form(text).to_ascii_uppercase())],
        Identifier::Keygrip(grip) => vec![Token::Keygrip(*grip)],
        Identifier::Pkcs11Id(text) => vec![Token::Pkcs11Id(hex_form(text))],
    }
}

/// What a sighting can be named by.
pub(super) fn of_sighting(sighting: &Sighting) -> Vec<Token> {
    let f = &sighting.fingerprints;
    let mut out = Vec::new();
    if sighting.kind == Kind::Certificate {
        out.extend(f.cert_sha256.map(Token::CertSha256));
        out.extend(f.cert_sha1.map(Token::CertSha1));
        out.extend(f.cert_md5.map(Token::CertMd5));
        if let Some(facts) = sighting
            .certificate
            .as_deref()
            .filter(|c| !c.serial.is_empty())
        {
            // A row may give the issuer's common name alone.
            let mut issuers = vec![name_key(&facts.issuer)];
            let name = Name::read(&facts.issuer);
            issuers.extend(name.iter().flat_map(Name::common_names).map(name_key));
            issuers.dedup();
            for serial in serial_forms(&facts.serial) {
                let pair = |issuer: &String| Token::IssuerSerial(issuer.clone(), serial.clone());
                out.extend(issuers.iter().map(pair));
                out.push(Token::Serial(serial));
            }
        }
    }
    out.extend(f.spki_sha256.map(Token::Spki));
    out.extend(sighting.key_id.as_ref().map(of_key_id));
    out.extend(f.ssh_sha256.map(|d| Token::SshSha256(Hex(d.0))));
    out.extend(f.ssh_md5.map(|d| Token::SshMd5(Hex(d.0))));
    out.extend(
        f.pgp_fingerprint
            .as_deref()
            .map(|t| Token::Pgp(t.to_ascii_uppercase())),
    );
    out.extend(f.jwk_thumbprint.map(|d| Token::Jwk(d.to_string())));
    out.extend(f.keygrip.map(Token::Keygrip));
    out.extend(f.ski.as_deref().map(|t| Token::Ski(hex_form(t))));
    out.extend(
        f.pgp_keyid
            .as_deref()
            .map(|t| Token::PgpKeyId(t.to_ascii_uppercase())),
    );
    out.extend(f.pkcs11_id.as_deref().map(|t| Token::Pkcs11Id(hex_form(t))));
    out
}

/// Whether two sightings of one key and, if any, one certificate can be named by the same, without making the tokens.
pub(super) fn have_same_tokens(one: &Sighting, other: &Sighting) -> bool {
    let certificate = |s: &Sighting| s.kind == Kind::Certificate;
    let same_facts = match (one.certificate.as_deref(), other.certificate.as_deref()) {
        (Some(a), Some(b)) => a.serial == b.serial && a.issuer == b.issuer,
        (a, b) => a.is_none() && b.is_none(),
    };
    let same_kind = certificate(one) == certificate(other);
    same_kind && (same_facts || !certificate(one)) && one.fingerprints == other.fingerprints
}

fn of_key_id(id: &KeyId) -> Token {
    match id {
        KeyId::Spki(d) => Token::Spki(*d),
        KeyId::Ssh(d) => Token::SshSha256(*d),
        KeyId::Pgp(f) => Token::Pgp(f.to_ascii_uppercase()),
        KeyId::Secret(_) | KeyId::Opaque(_) => Token::KeyId(id.clone()),
    }
}

/// Lower-case digits without separators and prefix.
fn hex_form(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("0x").unwrap_or(&text);
    text.chars()
        .filter(|c| !matches!(c, ':' | ' ' | '-'))
        .collect()
}

/// A serial without separators, prefix and leading zeros; the sign stays.
fn serial_form(text: &str) -> String {
    let (sign, digits) = match text.trim().strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let digits = hex_form(digits);
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        "0".to_owned()
    } else {
        format!("{sign}{digits}")
    }
}

/// A certificate's serial as a row may write it: hexadecimal, and decimal where that differs.
pub(super) fn serial_forms(hexadecimal: &str) -> Vec<String> {
    let hex = serial_form(hexadecimal);
    let mut forms = vec![hex.clone()];
    let (sign, digits) = match hex.strip_prefix('-') {
        Some(digits) => ("-", digits.to_owned()),
        None => ("", hex.clone()),
    };
    // RFC 5280 allows 20 octets; what is longer is no number that a person writes in decimal.
    if digits.len() <= 64
        && let Some(decimal) = decimal(&digits).map(|d| format!("{sign}{d}"))
        && decimal != hex
    {
        forms.push(decimal);
    }
    forms
}

/// How many bits a hexadecimal serial has.
pub(super) fn serial_bits(hexadecimal: &str) -> usize {
    let digits = serial_form(hexadecimal);
    let digits = digits.trim_start_matches('-');
    let top = digits
        .chars()
        .next()
        .and_then(|c| c.to_digit(16))
        .unwrap_or(0);
    let top_bits = usize::try_from(u32::BITS - top.leading_zeros()).unwrap_or(0);
    digits.len().saturating_sub(1) * 4 + top_bits
}

/// Whether two serials, the second a certificate's, are the same in either spelling.
pub(super) fn serials_agree(row: &str, certificate: &str) -> bool {
    serial_forms(certificate).contains(&serial_form(row))
}

fn decimal(hexadecimal: &str) -> Option<String> {
    // Nine decimal digits each, the least first; each hexadecimal digit multiplies by sixteen and adds.
    const NINE_DIGITS: u64 = 1_000_000_000;
    let mut parts: Vec<u64> = vec![0];
    for c in hexadecimal.chars() {
        let mut carry = u64::from(c.to_digit(16)?);
        for part in &mut parts {
            let value = *part * 16 + carry;
            *part = value % NINE_DIGITS;
            carry = value / NINE_DIGITS;
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let mut parts = parts.iter().rev();
    let first = parts.next()?.to_string();
    Some(parts.fold(first, |text, part| format!("{text}{part:09}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_agree_in_both_bases() {
        // printf '%d' 0x1f2e3d4c5b6a7988
        assert!(serials_agree("2246800662264969608", "1f2e3d4c5b6a7988"));
        assert!(serials_agree("1F:2E:3D:4C:5B:6A:79:88", "1f2e3d4c5b6a7988"));
        assert!(serials_agree("0x0010", "10"));
        assert!(!serials_agree("2246800662264969609", "1f2e3d4c5b6a7988"));
    }

    #[test]
    fn long_serials_in_decimal() {
        // python3: 10**27, 16**40 - 1
        for (hexadecimal, text) in [
            ("33b2e3c9fd0803ce8000000", "1000000000000000000000000000"),
            (
                "ffffffffffffffffffffffffffffffffffffffff",
                "1461501637330902918203684832716283019655932542975",
            ),
            ("0", "0"),
        ] {
            assert_eq!(decimal(hexadecimal).as_deref(), Some(text));
        }
    }

    #[test]
    fn bits_of_a_serial() {
        assert_eq!(serial_bits("8000000000000000"), 64);
        assert_eq!(serial_bits("7fffffffffffffff"), 63);
        assert_eq!(serial_bits("01"), 1);
    }

    #[test]
    fn every_weak_method_is_weak() {
        assert!(Method::SshMd5.is_strong() && Method::Serial.is_strong());
        for weak in [
            Method::SerialAlone,
            Method::Ski,
            Method::PgpKeyId,
            Method::Pkcs11Id,
            Method::Path,
        ] {
            assert!(!weak.is_strong());
        }
    }
}
