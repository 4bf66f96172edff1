//! What stands before the secret part of a key: how it is protected, or that it is elsewhere (RFC 9580, sections
//! 3.7 and 5.5.3; GnuPG's `doc/DETAILS`, "GNU extensions to the S2K algorithm").

use super::key::{KeyError, Reader, upper};

/// Where the secret part is, and how it is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPart {
    /// Here, in clear.
    Clear,
    /// Here, encrypted; the text names cipher and key derivation.
    Encrypted(String),
    /// Left out on purpose (`gnu-dummy`).
    Absent,
    /// On a card with this serial number (`gnu-divert-to-card`).
    Card(String),
}

impl SecretPart {
    /// Reads what follows the public part of a secret key packet.
    pub fn read(version: u8, rest: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::new(rest);
        let usage = reader.octet()?;
        if version == 5 || (version == 6 && usage != 0) {
            // How long the fields are that follow.
            reader.octet()?;
        }
        match usage {
            0 => Ok(Self::Clear),
            253..=255 => {
                let cipher = cipher_name(reader.octet()?);
                let mode = match usage {
                    253 => aead_name(reader.octet()?),
                    _ => "cfb".to_owned(),
                };
                if version == 6 && usage != 255 {
                    // How long the specifier is.
                    reader.octet()?;
                }
                Ok(match Specifier::read(&mut reader)? {
                    Specifier::Derivation(text) => {
                        Self::Encrypted(format!("{cipher} {mode}, {text}"))
                    }
                    Specifier::Absent => Self::Absent,
                    Specifier::Card(serial) => Self::Card(serial),
                })
            }
            cipher => Ok(Self::Encrypted(format!(
                "{} cfb, MD5 of the passphrase",
                cipher_name(cipher)
            ))),
        }
    }
}

/// Octets of the secret number of an algorithm whose numbers stand as they are (RFC 9580, section 5.5.5).
const fn raw_size(algorithm: u8) -> Option<usize> {
    Some(match algorithm {
        25 | 27 => 32,
        26 => 56,
        28 => 57,
        _ => return None,
    })
}

impl SecretPart {
    /// Whether what follows the public part of a secret key packet may be a secret part, and is no chance: in clear its numbers
    /// fill it, up to their checksum; else cipher and derivation are known.
    pub fn is_plausible(version: u8, algorithm: u8, rest: &[u8]) -> bool {
        let Some((usage, secret)) = rest.split_first() else {
            return false;
        };
        match usage {
            // Numbers of the other algorithms have proven themselves.
            0 => raw_size(algorithm).is_none_or(|size| match version {
                5 => true,
                6 => secret.len() == size,
                _ => secret.split_last_chunk::<2>().is_some_and(|(number, sum)| {
                    let octets = number
                        .iter()
                        .fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
                    number.len() == size && octets == u16::from_be_bytes(*sum)
                }),
            }),
            253..=255 => {
                let cipher_at = usize::from(version >= 5);
                let counted = version == 6 && *usage != 255;
                let kind_at = cipher_at + 1 + usize::from(*usage == 253) + usize::from(counted);
                let known = match (secret.get(cipher_at), secret.get(kind_at)) {
                    // GnuPG's own: the secret part is elsewhere.
                    (_, Some(101)) => secret
                        .get(kind_at + 2..)
                        .is_some_and(|mode| mode.starts_with(b"GNU")),
                    (Some(1..=4 | 7..=13), Some(0 | 1 | 3 | 4)) => true,
                    _ => false,
                };
                Self::read(version, rest).is_ok() && (known || raw_size(algorithm).is_none())
            }
            _ => raw_size(algorithm).is_none(),
        }
    }
}

enum Specifier {
    Derivation(String),
    Absent,
    Card(String),
}

impl Specifier {
    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyError> {
        let kind = reader.octet()?;
        if kind == 4 {
            reader.take(16)?;
            let (passes, lanes, memory) = (reader.octet()?, reader.octet()?, reader.octet()?);
            let text = format!("Argon2 {passes} passes, {lanes} lanes, 2^{memory} KiB");
            return Ok(Self::Derivation(text));
        }
        let hash = reader.octet()?;
        let name = hash_name(hash);
        Ok(match kind {
            0 => Self::Derivation(format!("S2K simple {name}")),
            1 => Self::Derivation(format!("S2K salted {name}")),
            3 => {
                reader.take(8)?;
                let count = iterations(reader.octet()?);
                Self::Derivation(format!("S2K iterated {name} {count}"))
            }
            101 if reader.bytes.starts_with(b"GNU") => {
                reader.take(3)?;
                match reader.octet()? {
                    1 => Self::Absent,
                    // A card's serial number is told where it is known.
                    2 => Self::Card(upper(reader.counted().unwrap_or_default())),
                    mode => Self::Derivation(format!("S2K of GnuPG {mode}")),
                }
            }
            other => Self::Derivation(format!("S2K {other}")),
        })
    }
}

/// How many octets an iterated S2K hashes (RFC 9580, section 3.7.1.3).
const fn iterations(coded: u8) -> u32 {
    (16 + (coded as u32 & 15)) << ((coded as u32 >> 4) + 6)
}

/// RFC 9580, section 9.3.
fn cipher_name(number: u8) -> String {
    match number {
        1 => "idea",
        2 => "3des",
        3 => "cast5",
        4 => "blowfish",
        7 => "aes128",
        8 => "aes192",
        9 => "aes256",
        10 => "twofish",
        11 => "camellia128",
        12 => "camellia192",
        13 => "camellia256",
        _ => return format!("cipher {number}"),
    }
    .to_owned()
}

/// RFC 9580, section 9.5.
fn hash_name(number: u8) -> String {
    match number {
        1 => "md5",
        2 => "sha1",
        3 => "ripemd160",
        8 => "sha256",
        9 => "sha384",
        10 => "sha512",
        11 => "sha224",
        12 => "sha3-256",
        14 => "sha3-512",
        _ => return format!("hash {number}"),
    }
    .to_owned()
}

/// RFC 9580, section 9.6.
fn aead_name(number: u8) -> String {
    match number {
        1 => "eax",
        2 => "ocb",
        3 => "gcm",
        _ => return format!("aead {number}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parts_that_are_no_chance() {
        let sum = |number: &[u8]| {
            let sum: u16 = number.iter().map(|octet| u16::from(*octet)).sum();
            [&[0], number, &sum.to_be_bytes()].concat()
        };
        let number = [0xab; 32];
        assert!(SecretPart::is_plausible(4, 27, &sum(&number)));
        assert!(!SecretPart::is_plausible(4, 27, &sum(&number[1..])));
        let mut wrong = sum(&number);
        wrong[7] ^= 1;
        assert!(!SecretPart::is_plausible(4, 27, &wrong));
        assert!(SecretPart::is_plausible(4, 1, &wrong));
        assert!(SecretPart::is_plausible(
            6,
            27,
            &[&[0], &number[..]].concat()
        ));
        assert!(!SecretPart::is_plausible(
            6,
            27,
            &[&[0], &number[1..]].concat()
        ));
        for told in [
            &b"\xfe\x07\x03\x08saltsalt\xffiv"[..],
            b"\xff\0\x65\0GNU\x01",
        ] {
            assert!(SecretPart::is_plausible(4, 27, told), "{told:?}");
        }
        for chance in [
            &b""[..],
            b"\x07iv",
            b"\xfe\x47\x03\x08saltsalt\xffiv",
            b"\xfe\x07\x13\x08saltsalt\xffiv",
            b"\xff\0\x65\0GNV\x01",
        ] {
            assert!(!SecretPart::is_plausible(4, 27, chance), "{chance:?}");
        }
        let locked = b"\xfd\x26\x09\x02\x14\x04saltsaltsaltsalt\x01\x04\x15nonce";
        assert!(SecretPart::is_plausible(6, 27, locked));
    }

    #[test]
    fn secret_parts_of_every_kind() {
        let told = |version, rest: &[u8]| SecretPart::read(version, rest);
        let encrypted = |text: &str| Ok(SecretPart::Encrypted(text.to_owned()));
        assert_eq!(told(4, b"\0\x01\x02"), Ok(SecretPart::Clear));
        assert_eq!(
            told(4, b"\xfe\x07\x03\x08saltsalt\xffiv"),
            encrypted("aes128 cfb, S2K iterated sha256 65011712")
        );
        assert_eq!(
            told(4, b"\xff\x03\0\x02iv"),
            encrypted("cast5 cfb, S2K simple sha1")
        );
        assert_eq!(
            told(3, b"\x01iv"),
            encrypted("idea cfb, MD5 of the passphrase")
        );
        assert_eq!(told(4, b"\xff\0\x65\0GNU\x01"), Ok(SecretPart::Absent));
        let card = b"\xff\0\x65\0GNU\x02\x04\xd2\x76\0\x01";
        assert_eq!(told(4, card), Ok(SecretPart::Card("D2760001".to_owned())));
        assert_eq!(
            told(
                6,
                b"\xfd\x26\x09\x02\x14\x04saltsaltsaltsalt\x01\x04\x15nonce"
            ),
            encrypted("aes256 ocb, Argon2 1 passes, 4 lanes, 2^21 KiB")
        );
        for cut in [
            &b""[..],
            b"\xfe",
            b"\xfe\x07\x03\x08salt",
            b"\xff\0\x65\0GNU",
        ] {
            assert_eq!(told(4, cut), Err(KeyError::Short), "{cut:?}");
        }
    }
}
