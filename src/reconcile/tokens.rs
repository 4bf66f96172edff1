//! Identifiers of rows and sightings in one normal form, and how much each proves.

use super::names::NameId;
use crate::model::{Hex, Identifier, KeyId, Kind, Sighting};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::hash::{Hash, Hasher};

/// One identifier in normal form: equal tokens name the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    method: Method,
    /// Of a serial with its issuer, the issuer; else blank.
    issuer: NameId,
    value: Value,
}

/// What an identifier consists of, in a fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    form: u8,
    bytes: [u8; 32],
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.issuer.number()) << 8 | u64::from(self.method as u8));
        self.value.hash(state);
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.form);
        state.write(&self.bytes);
    }
}

impl Value {
    /// A digest of any size up to 32 bytes.
    const DIGEST: u8 = 0;
    /// Up to 64 hexadecimal digits: the form is their number.
    pub(super) const DIGITS_MAX: u8 = 64;
    /// In addition: digits with a sign.
    const NEGATIVE: u8 = 0x80;
    /// Whatever else, by its SHA-256.
    const OTHER: u8 = 0x7f;

    fn digest(bytes: &[u8]) -> Self {
        Self::padded(Self::DIGEST, bytes)
    }

    fn padded(form: u8, from: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(from)
            .for_each(|(to, from)| *to = *from);
        Self { form, bytes }
    }

    /// Hexadecimal digits of any case; what is none counts without its case.
    fn digits(text: impl Iterator<Item = u8> + Clone, negative: bool) -> Self {
        let mut bytes = [0; 32];
        let mut count = 0;
        for letter in text.clone() {
            let digit = char::from(letter).to_digit(16);
            let (Some(digit), Some(slot)) = (digit, bytes.get_mut(count / 2)) else {
                let sign = negative.then_some(b'-').into_iter();
                let lower = text.map(|b| b.to_ascii_lowercase());
                let all: Vec<u8> = sign.chain(lower).collect();
                return Self::other(&all);
            };
            let digit = u8::try_from(digit).unwrap_or(0);
            *slot |= if count % 2 == 0 { digit << 4 } else { digit };
            count += 1;
        }
        let count = u8::try_from(count).unwrap_or(Self::DIGITS_MAX);
        let sign = if negative { Self::NEGATIVE } else { 0 };
        // No digit at all is no digest either.
        let form = if count == 0 { Self::NEGATIVE } else { count };
        let form = form | sign;
        Self { form, bytes }
    }

    fn other(text: &[u8]) -> Self {
        Self {
            form: Self::OTHER,
            bytes: Sha256::digest(text).into(),
        }
    }

    /// How many hexadecimal digits it has; none where it is something else.
    pub(super) fn hexadecimal_digits(&self) -> Option<u32> {
        let count = self.form & !Self::NEGATIVE;
        (1..=Self::DIGITS_MAX)
            .contains(&count)
            .then_some(u32::from(count))
    }

    /// The same, if the digits may as well be decimal.
    pub(super) fn decimal_digits(&self) -> Option<u32> {
        let is_decimal = |byte: &u8| byte >> 4 <= 9 && byte & 15 <= 9;
        let count = self.hexadecimal_digits();
        count.filter(|_| self.bytes.iter().all(is_decimal))
    }

    /// A serial in hexadecimal, or as a row writes it.
    pub(super) fn serial(text: &str) -> Self {
        Self::bare_digits(text).unwrap_or_else(|| {
            let (negative, digits) = serial_digits(text);
            Self::digits(digits.clone(), negative)
        })
    }

    /// A serial that is nothing but its digits, as nearly all are.
    fn bare_digits(text: &str) -> Option<Self> {
        let count = u8::try_from(text.len()).ok();
        let form = count.filter(|count| (1..=Self::DIGITS_MAX).contains(count))?;
        if text.starts_with('0') {
            return None;
        }
        let bytes = Hex::from_digits(text)?.0;
        Some(Self { form, bytes })
    }

    /// The hexadecimal of a serial whose digits are all decimal, if they differ.
    pub(super) fn of_decimal_serial(text: &str) -> Option<Self> {
        let (negative, digits) = serial_digits(text);
        let hexadecimal = hexadecimal(digits)?;
        let value = Self::digits(hexadecimal.iter().copied(), negative);
        (value != Self::serial(text)).then_some(value)
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

/// Lower-case digits without separators and prefix.
fn hex_digits(text: &str) -> impl Iterator<Item = u8> + Clone {
    let text = text.trim();
    let prefix = text
        .get(..2)
        .is_some_and(|two| two.eq_ignore_ascii_case("0x"));
    let text = if prefix {
        text.get(2..).unwrap_or_default()
    } else {
        text
    };
    text.bytes()
        .filter(|b| !matches!(b, b':' | b' ' | b'-'))
        .map(|b| b.to_ascii_lowercase())
}

/// The sign of a serial, and its digits without separators, prefix and leading zeros.
fn serial_digits(text: &str) -> (bool, impl Iterator<Item = u8> + Clone) {
    let (negative, digits) = match text.trim().strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut digits = hex_digits(digits);
    let mut rest = digits.clone();
    while digits.next() == Some(b'0') {
        rest = digits.clone();
    }
    let is_zero = rest.clone().next().is_none();
    let zero = is_zero.then_some(b'0');
    // Zero has no sign.
    (negative && !is_zero, zero.into_iter().chain(rest))
}

/// A serial without separators, prefix and leading zeros; the sign stays.
fn serial_form(text: &str) -> String {
    let (negative, digits) = serial_digits(text);
    let sign = negative.then_some(b'-');
    String::from_utf8(sign.into_iter().chain(digits).collect()).unwrap_or_default()
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
    let value = Value::serial(certificate);
    Value::serial(row) == value || Value::of_decimal_serial(row) == Some(value)
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

/// The hexadecimal digits of a decimal number; none if it is none, or longer than a serial is (see [`serial_forms`]).
fn hexadecimal(decimal: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    // The least hexadecimal digit first; each decimal digit multiplies by ten and adds.
    let mut digits: Vec<u8> = Vec::new();
    for letter in decimal {
        let mut carry = letter.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        for digit in &mut digits {
            let value = *digit * 10 + carry;
            *digit = value % 16;
            carry = value / 16;
        }
        if carry > 0 {
            digits.push(carry);
        }
        if digits.len() > usize::from(Value::DIGITS_MAX) {
            return None;
        }
    }
    if digits.is_empty() {
        digits.push(0);
    }
    let letter = |digit: &u8| b"0123456789abcdef".get(usize::from(*digit)).copied();
    digits.iter().rev().map(letter).collect()
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
    fn bare_serials_are_read_as_others() {
        for digits in ["1", "ab", "1F2", "1f2e3d4c5b6a7988", &"9".repeat(64)] {
            let bare = Value::bare_digits(digits);
            assert_eq!(bare, Some(Value::serial(&format!(" 0{digits}"))));
        }
        for odd in ["", "0", "-1", "1:2", "1g", "é", &"9".repeat(65)] {
            assert_eq!(Value::bare_digits(odd), None);
        }
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
