//! Identifiers as a column writes them, each read back before it is used.

use super::spelling::{Digits, most_common};
use crate::inventory::columns::Field;
use crate::inventory::heading::Base;
use crate::inventory::{fingerprint, issuer_serial, serial};
use crate::model::{EntryKind, Thing};
use base64::Engine as _;

/// What an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sort {
    CertSha256,
    CertSha1,
    CertMd5,
    Spki,
    SshSha256,
    SshMd5,
    IssuerSerial,
    Jwk,
    Pgp,
    PgpKeyId,
    Ski,
    Keygrip,
    Pkcs11,
    KeyId,
}

/// The identifier of a thing for a column; `own` is what the row's cell has now, `cells` are the column's.
pub(super) fn cell(
    thing: &Thing,
    field: Field,
    kind: Option<EntryKind>,
    own: Option<&str>,
    cells: &[&str],
) -> Option<String> {
    let of_own = own.and_then(|c| sort_of(c, field, thing));
    let mut sorts: Vec<Sort> = of_own.into_iter().collect();
    sorts.extend(preferred(field, thing, cells));
    sorts.into_iter().find_map(|sort| {
        let like: Vec<&str> = own.into_iter().chain(cells.iter().copied()).collect();
        let text = write(thing, sort, &like)?;
        let found = fingerprint::read_cell(&text, field, kind);
        (found.faults.is_empty() && !found.identifiers.is_empty()).then_some(text)
    })
}

/// The serial number as a column writes it.
pub(super) fn serial_cell(hex: &str, base: Option<Base>, cells: &[&str]) -> Option<String> {
    let wanted = serial::readings(&format!("0x{hex}"), None).ok()?.pop()?;
    let digits_alone = |c: &&&str| c.bytes().all(|b| b.is_ascii_digit());
    let filled = cells.iter().filter(|c| !c.is_empty());
    let is_decimal = base == Some(Base::Decimal)
        || (base.is_none()
            && cells.iter().map(|c| c.len()).sum::<usize>() > 30
            && filled.clone().all(|c| digits_alone(&c)));
    let plain = most_common(cells.iter().filter_map(|c| Digits::of(c)).map(|(d, _)| d));
    let mut ways = Vec::new();
    if is_decimal {
        ways.extend(decimal(&wanted));
    }
    ways.push(plain.unwrap_or_default().write(hex));
    ways.push(hex.to_owned());
    ways.push(format!("0x{hex}"));
    ways.into_iter()
        .find(|text| serial::readings(text, base).is_ok_and(|r| r.contains(&wanted)))
}

/// Which identifier a cell holds, by its shape.
fn sort_of(cell: &str, field: Field, thing: &Thing) -> Option<Sort> {
    if issuer_serial::split(cell).is_some() {
        return Some(Sort::IssuerSerial);
    }
    if fingerprint::own_key_id(cell).is_some() {
        return Some(Sort::KeyId);
    }
    let text = cell.trim();
    if text.starts_with("SHA256:") && Digits::of(text).is_none() {
        return Some(Sort::SshSha256);
    }
    if text.starts_with("MD5:") {
        return Some(Sort::SshMd5);
    }
    let certificate = thing.certificate.is_some();
    match (Digits::of(text)?.1, field) {
        (64, Field::Fingerprint | Field::CertFingerprint) => Some(if certificate {
            Sort::CertSha256
        } else {
            Sort::Spki
        }),
        (40, Field::Fingerprint | Field::CertFingerprint) => Some(if certificate {
            Sort::CertSha1
        } else {
            Sort::Pgp
        }),
        (32, Field::Fingerprint | Field::Md5) => Some(if certificate {
            Sort::CertMd5
        } else {
            Sort::SshMd5
        }),
        _ => None,
    }
}

/// What a column may hold of a thing, the best first.
fn preferred(field: Field, thing: &Thing, cells: &[&str]) -> Vec<Sort> {
    let shorter = || {
        let lengths = cells.iter().filter_map(|c| Some(Digits::of(c)?.1));
        most_common(lengths.filter(|n| matches!(n, 40 | 64))) == Some(40)
    };
    let of_certificate = || {
        if shorter() {
            [Sort::CertSha1, Sort::CertSha256]
        } else {
            [Sort::CertSha256, Sort::CertSha1]
        }
    };
    match field {
        // A certificate's key has these too, and nobody looks for them in its row.
        Field::SshFingerprint | Field::PgpFingerprint | Field::PgpKeyId | Field::Keygrip
            if thing.certificate.is_some() =>
        {
            Vec::new()
        }
        Field::Fingerprint if thing.certificate.is_some() => of_certificate().to_vec(),
        Field::Fingerprint => match thing.kind {
            EntryKind::SshKey | EntryKind::SshHostKey | EntryKind::Grant => {
                vec![Sort::SshSha256, Sort::Spki, Sort::KeyId]
            }
            EntryKind::Pgp => vec![Sort::Pgp, Sort::KeyId],
            _ => vec![Sort::Spki, Sort::KeyId],
        },
        Field::CertFingerprint => of_certificate().to_vec(),
        Field::CertSha1 => vec![Sort::CertSha1],
        Field::CertSha256 => vec![Sort::CertSha256],
        Field::SpkiSha256 => vec![Sort::Spki],
        Field::Md5 => vec![Sort::CertMd5, Sort::SshMd5],
        Field::SshFingerprint => {
            if most_common(cells.iter().map(|c| c.starts_with("MD5:"))) == Some(true) {
                vec![Sort::SshMd5, Sort::SshSha256]
            } else {
                vec![Sort::SshSha256]
            }
        }
        Field::KeyId => vec![Sort::KeyId],
        Field::IssuerSerial => vec![Sort::IssuerSerial],
        Field::Ski => vec![Sort::Ski],
        Field::JwkThumbprint => vec![Sort::Jwk],
        Field::PgpFingerprint => vec![Sort::Pgp],
        Field::PgpKeyId => vec![Sort::PgpKeyId],
        Field::Keygrip => vec![Sort::Keygrip],
        Field::Pkcs11Id => vec![Sort::Pkcs11],
        _ => Vec::new(),
    }
}

fn write(thing: &Thing, sort: Sort, like: &[&str]) -> Option<String> {
    let prints = &thing.fingerprints;
    let certificate = thing.certificate.as_ref();
    let hex = |digits: String| Some(spelled(&digits, like));
    match sort {
        Sort::CertSha256 => hex(prints
            .cert_sha256
            .filter(|_| certificate.is_some())?
            .to_string()),
        Sort::CertSha1 => hex(prints
            .cert_sha1
            .filter(|_| certificate.is_some())?
            .to_string()),
        Sort::CertMd5 => hex(prints
            .cert_md5
            .filter(|_| certificate.is_some())?
            .to_string()),
        Sort::Spki => {
            let digest = prints.spki_sha256?;
            let in_hex = like
                .iter()
                .any(|c| Digits::of(c).is_some_and(|d| d.1 == 64));
            let pin = like.iter().find(|c| c.ends_with('=')).filter(|_| !in_hex);
            match pin {
                Some(pin) => {
                    let text = base64::engine::general_purpose::STANDARD.encode(digest.0);
                    let before = pin.len().checked_sub(text.len());
                    Some(format!(
                        "{}{text}",
                        before.and_then(|n| pin.get(..n)).unwrap_or("")
                    ))
                }
                None => hex(digest.to_string()),
            }
        }
        Sort::SshSha256 => prints.ssh_sha256.map(|d| d.to_string()),
        Sort::SshMd5 => prints.ssh_md5.map(|d| d.to_string()),
        Sort::IssuerSerial => {
            let facts = certificate?;
            let upper = like
                .iter()
                .any(|c| c.contains(|c: char| c.is_ascii_uppercase() && c.is_ascii_hexdigit()));
            let serial = if upper {
                facts.serial.to_ascii_uppercase()
            } else {
                facts.serial.to_string()
            };
            // Digits alone could be decimal.
            let marked = serial.bytes().all(|b| b.is_ascii_digit());
            let mark = if marked { "0x" } else { "" };
            Some(format!("serial={mark}{serial};issuer={}", facts.issuer))
        }
        Sort::Jwk => prints.jwk_thumbprint.map(|d| d.to_string()),
        Sort::Pgp => hex(prints.pgp_fingerprint.as_deref()?.to_owned()).map(|t| {
            if like.is_empty() {
                t.to_ascii_uppercase()
            } else {
                t
            }
        }),
        Sort::PgpKeyId => prints.pgp_keyid.as_deref().map(str::to_owned),
        Sort::Ski => hex(prints.ski.as_deref()?.to_owned()),
        Sort::Keygrip => hex(prints.keygrip?.to_string()),
        Sort::Pkcs11 => hex(prints.pkcs11_id.as_deref()?.to_owned()),
        Sort::KeyId => Some(thing.key_id.to_string()),
    }
}

/// Digits as those of the same length are written, the first of `like` before the others.
fn spelled(digits: &str, like: &[&str]) -> String {
    let alike = |cell: &&&str| {
        Digits::of(cell)
            .filter(|d| d.1 == digits.len())
            .map(|d| d.0)
    };
    let first = like.iter().take(1).find_map(|c| alike(&c));
    let spelling = first.or_else(|| most_common(like.iter().filter_map(|c| alike(&c))));
    spelling.unwrap_or_default().write(digits)
}

/// A hexadecimal number in decimal digits.
fn decimal(hex: &str) -> Option<String> {
    let mut digits: Vec<u32> = vec![0];
    for c in hex.chars() {
        let mut carry = c.to_digit(16)?;
        for digit in &mut digits {
            let value = *digit * 16 + carry;
            *digit = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|d| char::from_digit(*d, 10))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_take_the_base_and_spelling_of_the_column() {
        let hex = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        // printf 'ibase=16\n0A1B2C3D4E5F60718293A4B5C6D7E8F9\n' | bc
        let dec = "13433369256225207278633426983318972665";
        for (cells, base, expected) in [
            (
                &["AB:CD:EF:01:23"][..],
                None,
                "0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9",
            ),
            (&["abcdef0123"], None, hex),
            (&["123456789012345678901234567890123456"], None, dec),
            (&[], Some(Base::Decimal), dec),
            (&[], None, hex),
        ] {
            assert_eq!(
                serial_cell(hex, base, cells).as_deref(),
                Some(expected),
                "{cells:?}"
            );
        }
        assert_eq!(serial_cell("12", None, &[]).as_deref(), Some("12"));
    }
}
