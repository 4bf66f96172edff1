//! Identifiers of rows and sightings in one normal form, and how much each proves.

mod serial;
mod value;

use super::names::NameId;
use crate::model::{Identifier, KeyId, Kind, Sighting};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serial::hex_digits;
pub(super) use serial::{serial_bits, serial_forms, serials_agree};
use std::hash::{Hash, Hasher};
pub(super) use value::Value;

/// One identifier in normal form: equal tokens name the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    method: Method,
    /// Of a serial with its issuer, the issuer; else blank.
    issuer: NameId,
    value: Value,
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.issuer.number()) << 8 | u64::from(self.method as u8));
        self.value.hash(state);
    }
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
    const fn new(method: Method, value: Value) -> Self {
        Self {
            method,
            issuer: NameId::BLANK,
            value,
        }
    }

    /// What a match on it is worth before a serial was looked at closely.
    pub(super) const fn method(&self) -> Method {
        self.method
    }

    /// Of a serial with its issuer, the issuer.
    pub(super) fn issuer(&self) -> Option<NameId> {
        (self.method == Method::IssuerSerial).then_some(self.issuer)
    }

    /// The same serial with another name of its issuer.
    pub(super) const fn of_issuer(self, issuer: NameId) -> Self {
        Self { issuer, ..self }
    }
}

/// What an identifier of a row can be a match on.
pub(super) const fn methods_of(identifier: &Identifier) -> &'static [Method] {
    match identifier {
        Identifier::KeyId(KeyId::Spki(_)) | Identifier::SpkiSha256(_) => &[Method::SpkiSha256],
        Identifier::KeyId(KeyId::Ssh(_)) | Identifier::SshSha256(_) => &[Method::SshSha256],
        Identifier::KeyId(KeyId::Pgp(_)) | Identifier::PgpFingerprint(_) => {
            &[Method::PgpFingerprint]
        }
        Identifier::KeyId(KeyId::Secret(_) | KeyId::Opaque(_)) => &[Method::KeyId],
        Identifier::CertOrSpkiSha256(_) => &[Method::CertSha256, Method::SpkiSha256],
        Identifier::CertSha256(_) => &[Method::CertSha256],
        Identifier::CertSha1(_) => &[Method::CertSha1],
        Identifier::Md5(_) => &[Method::CertMd5, Method::SshMd5],
        Identifier::Sha1OrPgp(_) => &[
            Method::CertSha1,
            Method::PgpFingerprint,
            Method::Keygrip,
            Method::Ski,
        ],
        Identifier::SshMd5(_) => &[Method::SshMd5],
        Identifier::IssuerSerial { .. } => &[Method::IssuerSerial],
        Identifier::Serial(_) => &[Method::SerialAlone],
        Identifier::Ski(_) => &[Method::Ski],
        Identifier::JwkThumbprint(_) => &[Method::JwkThumbprint],
        Identifier::PgpKeyId(_) => &[Method::PgpKeyId],
        Identifier::Keygrip(_) => &[Method::Keygrip],
        Identifier::Pkcs11Id(_) => &[Method::Pkcs11Id],
    }
}

/// What a row's identifier can mean; `issuer` is that of a serial with its issuer.
pub(super) fn of_identifier(identifier: &Identifier, issuer: NameId, mut each: impl FnMut(Token)) {
    let value = match identifier {
        Identifier::KeyId(id) => return each(of_key_id(id)),
        Identifier::CertOrSpkiSha256(d)
        | Identifier::SpkiSha256(d)
        | Identifier::CertSha256(d)
        | Identifier::SshSha256(d) => Value::digest(&d.0),
        Identifier::CertSha1(d) | Identifier::Keygrip(d) => Value::digest(&d.0),
        Identifier::Md5(d) | Identifier::SshMd5(d) => Value::digest(&d.0),
        Identifier::Sha1OrPgp(d) => {
            // Digests and digits are of different forms.
            let digits = Value::padded(40, &d.0);
            for method in methods_of(identifier) {
                let value = match method {
                    Method::PgpFingerprint | Method::Ski => digits,
                    _ => Value::digest(&d.0),
                };
                each(Token::new(*method, value));
            }
            return;
        }
        Identifier::IssuerSerial { serial, .. } | Identifier::Serial(serial) => {
            Value::serial(serial)
        }
        Identifier::JwkThumbprint(text) => jwk_thumbprint(text),
        Identifier::Ski(text)
        | Identifier::PgpFingerprint(text)
        | Identifier::PgpKeyId(text)
        | Identifier::Pkcs11Id(text) => Value::digits(hex_digits(text), false),
    };
    for &method in methods_of(identifier) {
        let issuer = match method {
            Method::IssuerSerial => issuer,
            _ => NameId::BLANK,
        };
        each(Token {
            method,
            issuer,
            value,
        });
    }
}

/// The token of a serial that a row writes in decimal, as a certificate has it: in hexadecimal.
pub(super) fn of_decimal(identifier: &Identifier, issuer: NameId) -> Option<Token> {
    let (serial, method, issuer) = match identifier {
        Identifier::IssuerSerial { serial, .. } => (serial, Method::IssuerSerial, issuer),
        Identifier::Serial(serial) => (serial, Method::SerialAlone, NameId::BLANK),
        _ => return None,
    };
    Some(Token {
        method,
        issuer,
        value: Value::of_decimal_serial(serial)?,
    })
}

/// What a sighting can be named by, of the methods that are wanted; `issuer` tells that of its certificate.
pub(super) fn of_sighting(
    sighting: &Sighting,
    wanted: u32,
    issuer: impl FnOnce() -> Option<NameId>,
    mut each: impl FnMut(Token),
) {
    let f = &sighting.fingerprints;
    let wants = |method: Method| wanted & method.bit() != 0;
    let mut some = |method: Method, value: Option<Value>| {
        if let Some(value) = value {
            each(Token::new(method, value));
        }
    };
    if sighting.kind == Kind::Certificate {
        if wants(Method::CertSha256) {
            let digest = f.cert_sha256().map(|d| Value::digest(&d.0));
            some(Method::CertSha256, digest);
        }
        if wants(Method::CertSha1) {
            let digest = f.cert_sha1().map(|d| Value::digest(&d.0));
            some(Method::CertSha1, digest);
        }
        if wants(Method::CertMd5) {
            let digest = f.cert_md5().map(|d| Value::digest(&d.0));
            some(Method::CertMd5, digest);
        }
    }
    if wants(Method::SpkiSha256) {
        some(
            Method::SpkiSha256,
            f.spki_sha256().map(|d| Value::digest(&d.0)),
        );
    }
    if wants(Method::SshSha256) {
        some(
            Method::SshSha256,
            f.ssh_sha256().map(|d| Value::digest(&d.0)),
        );
    }
    if wants(Method::SshMd5) {
        some(Method::SshMd5, f.ssh_md5().map(|d| Value::digest(&d.0)));
    }
    if wants(Method::JwkThumbprint) {
        let digest = f.jwk_thumbprint().map(|d| Value::digest(&d.0));
        some(Method::JwkThumbprint, digest);
    }
    if wants(Method::Keygrip) {
        some(Method::Keygrip, f.keygrip().map(|d| Value::digest(&d.0)));
    }
    let plain = |text: &str| Value::digits(text.bytes(), false);
    if wants(Method::PgpFingerprint) {
        some(Method::PgpFingerprint, f.pgp_fingerprint().map(plain));
    }
    if wants(Method::PgpKeyId) {
        some(Method::PgpKeyId, f.pgp_keyid().map(plain));
    }
    let digits = |text: &str| Value::digits(hex_digits(text), false);
    if wants(Method::Ski) {
        some(Method::Ski, f.ski().map(digits));
    }
    if wants(Method::Pkcs11Id) {
        some(Method::Pkcs11Id, f.pkcs11_id().map(digits));
    }
    if let Some(token) = sighting.key_id.as_ref().map(of_key_id)
        && wants(token.method)
    {
        each(token);
    }
    let facts = sighting.certificate.as_deref();
    let facts = facts.filter(|f| sighting.kind == Kind::Certificate && !f.serial.is_empty());
    if let Some(facts) = facts
        && (wants(Method::IssuerSerial) || wants(Method::SerialAlone))
    {
        let value = Value::serial(&facts.serial);
        if wants(Method::SerialAlone) {
            each(Token::new(Method::SerialAlone, value));
        }
        if wants(Method::IssuerSerial)
            && let Some(issuer) = issuer()
        {
            each(Token {
                method: Method::IssuerSerial,
                issuer,
                value,
            });
        }
    }
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
        KeyId::Spki(d) => Token::new(Method::SpkiSha256, Value::digest(&d.0)),
        KeyId::Ssh(d) => Token::new(Method::SshSha256, Value::digest(&d.0)),
        KeyId::Pgp(f) => Token::new(Method::PgpFingerprint, Value::digits(f.bytes(), false)),
        KeyId::Secret(d) => Token::new(Method::KeyId, Value::padded(32, &d.0)),
        KeyId::Opaque(d) => Token::new(Method::KeyId, Value::digest(&d.0)),
    }
}

fn jwk_thumbprint(text: &str) -> Value {
    // Room for what 43 letters could be at most.
    let mut bytes = [0; 34];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok();
    match length.and_then(|length| bytes.get(..length)) {
        Some(digest) if digest.len() == 32 => Value::digest(digest),
        _ => Value::other(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
