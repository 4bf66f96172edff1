//! Tells the forms of identifiers apart by shape, with the column's name and the row's type where shape is not enough.
//!
//! | shape | without hint | with hint |
//! |---|---|---|
//! | 64 hexadecimal digits | certificate or SPKI | the column's; in an SSH row the blob's too; in a PGP row a fingerprint |
//! | 40 | SHA-1 of a certificate, PGP, keygrip or SKI | the column's or the row's |
//! | 32 | MD5 of a certificate or an SSH blob | the column's or the row's |
//! | 16 | a fault | in a PGP column or row a key id |
//! | `SHA256:` and 43 characters of base64 | SSH blob | |
//! | base64 of 32 bytes | certificate or SPKI; without padding also SSH blob and JWK thumbprint | the column's |
//! | `serial=…;issuer=…`, either order | issuer and serial | |
//! | `spki-sha256:…` and the like | a key id of ours | |

use super::columns::Field;
use super::hush::shape;
use super::issuer_serial;
use super::serial::{is_invisible, is_rounded};
use crate::model::{EntryKind, Hex, Identifier, KeyId, Sha256Hex};
use base64::Engine as _;
use std::borrow::Cow;

/// Most identifiers that are taken from one cell.
const MAX_IN_CELL: usize = 1_000;

/// The identifiers in a cell, and what could not be read in it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) identifiers: Vec<Identifier>,
    pub(super) faults: Vec<String>,
}

impl Found {
    fn add(&mut self, piece: &str, field: Field, kind: Option<EntryKind>) {
        if super::words::is_nothing(piece) {
            return;
        }
        match read_piece(piece, field, kind) {
            Ok(identifiers) if self.identifiers.is_empty() => self.identifiers = identifiers,
            Ok(identifiers) => self.identifiers.extend(identifiers),
            Err(reason) => match each_word(piece, field, kind) {
                Some(identifiers) => self.identifiers.extend(identifiers),
                None => self.faults.push(reason),
            },
        }
    }
}

/// Reads a cell that may hold several, separated by new lines, `|`, `;`, `,` or (where each stands alone) blanks.
pub(super) fn read_cell(cell: &str, field: Field, kind: Option<EntryKind>) -> Found {
    let mut found = Found::default();
    // A digest and nothing else, as in most cells.
    if is_digest(cell) {
        match by_hex(&in_lower_case(cell), field, kind, cell) {
            Ok(identifiers) => found.identifiers = identifiers,
            Err(reason) => found.faults.push(reason),
        }
        return found;
    }
    let is_one = !cell
        .bytes()
        .any(|b| matches!(b, b'\n' | b'\r' | b'|' | b';' | b','));
    if is_one && issuer_serial::split(cell).is_none() {
        found.add(cell.trim(), field, kind);
        return deduplicated(found);
    }
    for line in cell.split(['\n', '\r', '|']) {
        let rest = match issuer_serial::split(line) {
            Some(parts) => {
                match parts.identifiers() {
                    Ok(both) => found.identifiers.extend(both),
                    Err(reason) => found.faults.push(reason.to_owned()),
                }
                Cow::Owned(parts.rest)
            }
            None => Cow::Borrowed(line),
        };
        // `1,23E+47` would fall apart at the comma.
        let is_whole = is_rounded(&rest);
        for piece in rest.split(|c| !is_whole && matches!(c, ';' | ',')) {
            if found.identifiers.len() + found.faults.len() >= MAX_IN_CELL {
                found
                    .faults
                    .push("more identifiers in one cell than are read".to_owned());
                return deduplicated(found);
            }
            found.add(piece.trim(), field, kind);
        }
    }
    deduplicated(found)
}

/// The identifier of a cell that holds one and nothing else, in a spelling that most cells have; what it gives
/// [`read_cell`] gives too.
pub(super) fn plain(cell: &str, field: Field) -> Option<Identifier> {
    match cell.len() {
        50 if matches!(field, Field::Fingerprint | Field::SshFingerprint) => openssh(cell),
        // Lines in it would be cells.
        _ => own_key_id(cell).filter(|_| !cell.bytes().any(|b| matches!(b, b'\n' | b'\r'))),
    }
}

/// `SHA256:` and base64 without padding, as OpenSSH writes it.
fn openssh(text: &str) -> Option<Identifier> {
    let body = text.strip_prefix("SHA256:")?;
    // Digits alone are no base64.
    if body.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; MAX_DIGEST];
    let length = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode_slice(body, &mut bytes)
        .ok()?;
    Sha256Hex::from_slice(bytes.get(..length)?).map(Identifier::SshSha256)
}

/// Whether 64 digits in a column are mostly what [`by_sha256`] gives.
pub(super) const fn may_be_sha256(field: Field) -> bool {
    matches!(
        field,
        Field::Fingerprint
            | Field::CertFingerprint
            | Field::CertSha256
            | Field::SpkiSha256
            | Field::SshFingerprint
    )
}

/// The one identifier that 64 digits are, where they are one.
pub(super) fn by_sha256(
    digest: Sha256Hex,
    field: Field,
    kind: Option<EntryKind>,
) -> Option<Identifier> {
    if kind == Some(EntryKind::Pgp) {
        return None;
    }
    match field {
        Field::SpkiSha256 => Some(Identifier::SpkiSha256(digest)),
        Field::CertSha256 => Some(Identifier::CertSha256(digest)),
        Field::SshFingerprint => Some(Identifier::SshSha256(digest)),
        Field::Fingerprint | Field::CertFingerprint if !is_ssh(kind) => {
            Some(Identifier::CertOrSpkiSha256(digest))
        }
        _ => None,
    }
}

const fn is_ssh(kind: Option<EntryKind>) -> bool {
    matches!(
        kind,
        Some(EntryKind::SshKey | EntryKind::SshHostKey | EntryKind::Grant)
    )
}

/// As many digits as SHA-256, SHA-1 or MD5 give, and nothing else.
fn is_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn in_lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn deduplicated(mut found: Found) -> Found {
    if found.identifiers.len() < 2 {
        return found;
    }
    let mut seen = std::collections::HashSet::new();
    found.identifiers.retain(|i| seen.insert(i.clone()));
    found
}

/// Two or more identifiers with blanks between them; only if every word is one.
fn each_word(piece: &str, field: Field, kind: Option<EntryKind>) -> Option<Vec<Identifier>> {
    let words: Vec<&str> = piece.split_whitespace().collect();
    if words.len() < 2 || words.len() > MAX_IN_CELL || words.iter().any(|w| w.len() < 16) {
        return None;
    }
    let read: Option<Vec<Vec<Identifier>>> = words
        .iter()
        .map(|w| read_piece(w, field, kind).ok())
        .collect();
    read.map(|lists| lists.concat())
}

fn read_piece(
    piece: &str,
    field: Field,
    kind: Option<EntryKind>,
) -> Result<Vec<Identifier>, String> {
    let cleaned: Cow<'_, str> = if piece.is_ascii() {
        Cow::Borrowed(piece)
    } else {
        piece.chars().filter(|c| !is_invisible(*c)).collect()
    };
    let piece = cleaned.trim().trim_matches(['"', '\'', '`']);
    if piece.len() > 4096 {
        return Err("too long for an identifier".to_owned());
    }
    if is_rounded(piece) {
        return Err("a number that a spreadsheet has rounded; its digits are lost".to_owned());
    }
    if let Some(id) = own_key_id(piece) {
        return Ok(vec![id]);
    }
    if let Some(word) = ssh_keygen_line(piece) {
        return read_piece(word, Field::SshFingerprint, kind);
    }
    let (field, body) = prefix(piece, field);
    let body = body.trim().trim_matches(['"', '\'']);
    if is_uuid(body) {
        return Err("a UUID, which is no fingerprint".to_owned());
    }
    if let Some(digits) = hex_digits(body) {
        return by_hex(&digits, field, kind, piece);
    }
    let mut bytes = [0; MAX_DIGEST];
    if let Some(bytes) = base64_bytes(body, &mut bytes) {
        return by_base64(bytes, body, field, kind);
    }
    if matches!(field, Field::Pkcs11Id)
        && let Some(id) = percent_bytes(body)
    {
        return Ok(vec![Identifier::Pkcs11Id(id.into())]);
    }
    Err(format!(
        "no fingerprint of a known form (shape {})",
        shape(piece)
    ))
}

/// `spki-sha256:…` and the other schemes of the contract, section 2.
pub(super) fn own_key_id(text: &str) -> Option<Identifier> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme = scheme.trim();
    let known = KeyId::SCHEMES;
    let scheme = known.iter().find(|s| s.eq_ignore_ascii_case(scheme))?;
    match KeyId::of_scheme(scheme, rest.trim())? {
        KeyId::Pgp(fingerprint) if !matches!(fingerprint.len(), 40 | 64) => None,
        id => Some(Identifier::KeyId(id)),
    }
}

/// The fingerprint in a line of `ssh-keygen -l`: `256 SHA256:… comment (ED25519)`.
fn ssh_keygen_line(piece: &str) -> Option<&str> {
    if !piece.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut words = piece.split_whitespace();
    let bits = words.next()?;
    let print = words.next()?;
    (bits.bytes().all(|b| b.is_ascii_digit())
        && (print.starts_with("SHA256:") || print.starts_with("MD5:")))
    .then_some(print)
}

/// Splits off a label such as `SHA1:`, `sha256 Fingerprint=`, `pin-sha256="`; it overrules the column where it says more.
fn prefix(piece: &str, field: Field) -> (Field, &str) {
    if let Some(rest) = without(piece, "urn:ietf:params:oauth:jwk-thumbprint:sha-256:") {
        return (Field::JwkThumbprint, rest);
    }
    if let Some(rest) = without(piece, "sha256//") {
        return (Field::SpkiSha256, rest);
    }
    if let Some(rest) = marked(piece) {
        return (field, rest);
    }
    if let Some(found) = algorithm_word(piece, field) {
        return found;
    }
    let Some((label, rest)) = piece.split_once([':', '=']) else {
        return (field, piece);
    };
    let label = super::heading::compact(label);
    let rest = marked(rest).unwrap_or(rest);
    let of_cert = matches!(
        field,
        Field::CertSha1 | Field::CertSha256 | Field::CertFingerprint
    );
    match label.as_str() {
        "sha256" | "sha256fingerprint" | "sha2" | "sha256thumbprint" | "fingerprintsha256" => {
            let field = match field {
                Field::SpkiSha256
                | Field::CertSha256
                | Field::JwkThumbprint
                | Field::PgpFingerprint => field,
                // openssl's `SHA256 Fingerprint=` in a certificate's column; OpenSSH's is base64.
                _ if of_cert => Field::CertSha256,
                _ if hex_digits(rest).is_some() => Field::Fingerprint,
                _ => Field::SshFingerprint,
            };
            (field, rest)
        }
        "sha1" | "sha1fingerprint" | "sha1thumbprint" | "fingerprintsha1" => (
            if field == Field::PgpFingerprint {
                field
            } else {
                Field::CertSha1
            },
            rest,
        ),
        "md5" if field != Field::Md5 && !of_cert => (Field::SshFingerprint, rest),
        "md5" | "md5fingerprint" | "fingerprintmd5" => (Field::Md5, rest),
        "pinsha256" | "spkisha256" | "spki" | "publickeysha256" | "pubkeysha256" | "pin" => {
            (Field::SpkiSha256, rest)
        }
        "certsha256" | "certificatesha256" => (Field::CertSha256, rest),
        "certsha1" | "certificatesha1" | "x5t" => (Field::CertSha1, rest),
        "x5ts256" => (Field::CertSha256, rest),
        "ski" | "keyid" | "subjectkeyidentifier" => (Field::Ski, rest),
        "keygrip" => (Field::Keygrip, rest),
        "openpgp4fpr" | "pgp" | "gpg" | "pgpfingerprint" | "gpgfingerprint" => {
            (Field::PgpFingerprint, rest)
        }
        "ssh" | "sshfingerprint" | "sshsha256" => (Field::SshFingerprint, rest),
        "jwk" | "jkt" | "jwkthumbprint" => (Field::JwkThumbprint, rest),
        "ckaid" | "pkcs11id" => (Field::Pkcs11Id, rest),
        "thumbprint" | "fingerprint" | "keyfingerprint" | "hash" => (field, rest),
        _ => (field, piece),
    }
}

/// What stands behind a start, in whatever case it is.
fn without<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start)
        .then(|| text.get(start.len()..))?
}

/// What stands behind `0x`. One digest in base64 of 4,096 begins so too, and the mark is part of it.
fn marked(text: &str) -> Option<&str> {
    let rest = without(text, "0x")?;
    let is_base64 = || base64_bytes(text, &mut [0; MAX_DIGEST]).is_some();
    (hex_digits(rest).is_some() || !is_base64()).then_some(rest)
}

/// `SHA-256 AB:CD…`, `sha1/ab…`, `{SHA256}ab…`: the digest's name without a colon. `sha256/` and base64 is the pin of
/// a public key, as HPKP and the libraries after it write it.
fn algorithm_word(piece: &str, field: Field) -> Option<(Field, &str)> {
    let bare = piece.trim_start_matches(['{', '(', '[']);
    let words = ["sha-256", "sha256", "sha-1", "sha1", "md5"];
    let tail = words.iter().find_map(|word| without(bare, word))?;
    let body = tail.trim_start_matches(['}', ')', ']', '/', ' ', '\t', '-', '_']);
    if body.len() == tail.len() {
        return None;
    }
    if let Some(digits) = hex_digits(body) {
        return matches!(digits.len(), 32 | 40 | 64).then_some((field, body));
    }
    let pin = tail.starts_with('/') && field == Field::Fingerprint;
    base64_bytes(body, &mut [0; MAX_DIGEST])?;
    Some((if pin { Field::SpkiSha256 } else { field }, body))
}

/// The digits of hexadecimal text with the usual separators; `None` for anything else.
fn hex_digits(text: &str) -> Option<String> {
    let separates = |c: char| matches!(c, ':' | '-' | ' ' | '\t' | '\u{a0}' | '.');
    if text.contains(|c: char| !c.is_ascii_hexdigit() && !separates(c)) {
        return None;
    }
    let digits: String = text
        .chars()
        .filter(|c| !separates(*c))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    (!digits.is_empty()).then_some(digits)
}

fn is_uuid(text: &str) -> bool {
    let text = text.trim_start_matches('{').trim_end_matches('}');
    if text.len() != 36 {
        return false;
    }
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && hex_digits(text).is_some()
}

fn by_hex(
    digits: &str,
    field: Field,
    kind: Option<EntryKind>,
    piece: &str,
) -> Result<Vec<Identifier>, String> {
    let ssh = is_ssh(kind);
    let pgp = field == Field::PgpFingerprint
        || field == Field::PgpKeyId
        || (kind == Some(EntryKind::Pgp) && field != Field::Keygrip);
    if matches!(field, Field::Ski | Field::Pkcs11Id) {
        return whole_bytes(digits).map(|hex| {
            vec![match field {
                Field::Ski => Identifier::Ski(hex.into()),
                _ => Identifier::Pkcs11Id(hex.into()),
            }]
        });
    }
    let wrong = || {
        Err(format!(
            "{} hexadecimal digits, which is the length of no fingerprint that this column can hold",
            digits.len()
        ))
    };
    match digits.len() {
        64 => {
            let Ok(digest) = digits.parse::<Sha256Hex>() else {
                return wrong();
            };
            if let Some(one) = by_sha256(digest, field, kind) {
                return Ok(vec![one]);
            }
            Ok(match field {
                _ if pgp => vec![Identifier::PgpFingerprint(
                    digits.to_ascii_uppercase().into(),
                )],
                Field::JwkThumbprint => vec![jwk(&digest.0)],
                Field::CertSha1 | Field::Md5 | Field::Keygrip => return wrong(),
                _ if ssh => vec![
                    Identifier::CertOrSpkiSha256(digest),
                    Identifier::SshSha256(digest),
                ],
                _ => vec![Identifier::CertOrSpkiSha256(digest)],
            })
        }
        40 => {
            let Ok(digest) = digits.parse::<Hex<20>>() else {
                return wrong();
            };
            Ok(vec![match field {
                _ if pgp => Identifier::PgpFingerprint(digits.to_ascii_uppercase().into()),
                Field::Keygrip => Identifier::Keygrip(digest),
                Field::CertSha1 | Field::CertFingerprint => Identifier::CertSha1(digest),
                // SHA-1 of the public key is what most authorities put into the subject key identifier.
                Field::SpkiSha256 => Identifier::Ski(digits.into()),
                Field::CertSha256 | Field::SshFingerprint | Field::JwkThumbprint | Field::Md5 => {
                    return wrong();
                }
                _ if kind == Some(EntryKind::Certificate) => Identifier::CertSha1(digest),
                _ => Identifier::Sha1OrPgp(digest),
            }])
        }
        32 => {
            let Ok(digest) = digits.parse::<Hex<16>>() else {
                return wrong();
            };
            Ok(vec![match field {
                _ if pgp => Identifier::PgpFingerprint(digits.to_ascii_uppercase().into()),
                Field::CertSha1
                | Field::CertSha256
                | Field::SpkiSha256
                | Field::Keygrip
                | Field::JwkThumbprint => return wrong(),
                Field::SshFingerprint if kind != Some(EntryKind::Certificate) => {
                    Identifier::SshMd5(digest)
                }
                _ if ssh => Identifier::SshMd5(digest),
                _ => Identifier::Md5(digest),
            }])
        }
        16 if pgp => Ok(vec![Identifier::PgpKeyId(
            digits.to_ascii_uppercase().into(),
        )]),
        8 if pgp => Err(
            "a short OpenPGP key id of 8 digits, which anyone can forge, is not used".to_owned(),
        ),
        56 | 96 | 128 => Err(format!(
            "{} hexadecimal digits: digests by SHA-224, SHA-384 and SHA-512 are not compared",
            digits.len()
        )),
        n if n >= 12 || piece.contains(':') => wrong(),
        _ => Err(format!(
            "no fingerprint of a known form (shape {})",
            shape(piece)
        )),
    }
}

fn by_base64(
    bytes: &[u8],
    text: &str,
    field: Field,
    kind: Option<EntryKind>,
) -> Result<Vec<Identifier>, String> {
    if let Some(digest) = Sha256Hex::from_slice(bytes) {
        let padded = text.ends_with('=');
        let ssh = is_ssh(kind);
        return Ok(match field {
            Field::SpkiSha256 => vec![Identifier::SpkiSha256(digest)],
            Field::CertSha256 => vec![Identifier::CertSha256(digest)],
            Field::CertFingerprint => vec![Identifier::CertOrSpkiSha256(digest)],
            Field::SshFingerprint => vec![Identifier::SshSha256(digest)],
            Field::JwkThumbprint => vec![jwk(bytes)],
            Field::Ski => vec![Identifier::Ski(digest.to_string().into())],
            Field::Pkcs11Id => vec![Identifier::Pkcs11Id(digest.to_string().into())],
            _ if ssh => vec![Identifier::SshSha256(digest)],
            _ if padded || kind == Some(EntryKind::Certificate) => {
                vec![Identifier::CertOrSpkiSha256(digest)]
            }
            // Without padding it may be OpenSSH's form without its prefix, or a JWK thumbprint.
            _ => vec![
                Identifier::CertOrSpkiSha256(digest),
                Identifier::SshSha256(digest),
                jwk(bytes),
            ],
        });
    }
    match (Hex::<20>::from_slice(bytes), field) {
        (Some(digest), Field::CertSha1 | Field::CertFingerprint) => {
            Ok(vec![Identifier::CertSha1(digest)])
        }
        (Some(digest), Field::Ski) => Ok(vec![Identifier::Ski(digest.to_string().into())]),
        _ => Err(format!(
            "base64 of {} bytes, which is the length of no fingerprint that this column can hold",
            bytes.len()
        )),
    }
}

fn jwk(bytes: &[u8]) -> Identifier {
    Identifier::JwkThumbprint(
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(bytes)
            .into(),
    )
}

/// Room for what 43 characters of base64 may give.
const MAX_DIGEST: usize = 33;

/// Base64 or base64url of 20 or 32 bytes, padded or not.
fn base64_bytes<'b>(text: &str, bytes: &'b mut [u8; MAX_DIGEST]) -> Option<&'b [u8]> {
    let bare = text.trim_end_matches('=');
    if !matches!(bare.len(), 27 | 43) {
        return None;
    }
    let standard: Cow<'_, str> = if bare.contains(['-', '_']) {
        bare.replace('-', "+").replace('_', "/").into()
    } else {
        bare.into()
    };
    let length = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode_slice(&*standard, bytes)
        .ok()?;
    bytes.get(..length)
}

/// `%01%02`, as in PKCS#11 URIs (RFC 7512).
fn percent_bytes(text: &str) -> Option<String> {
    let hex: String = text.strip_prefix('%')?.split('%').collect();
    let even = text.split('%').skip(1).all(|pair| pair.len() == 2);
    (even && hex.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hex.to_ascii_lowercase())
}

fn whole_bytes(digits: &str) -> Result<String, String> {
    if digits.len().is_multiple_of(2) && digits.len() <= 256 {
        Ok(digits.to_owned())
    } else {
        Err(format!(
            "{} hexadecimal digits are no whole bytes, or too many",
            digits.len()
        ))
    }
}

#[cfg(test)]
#[path = "fingerprint_tests.rs"]
mod tests;
