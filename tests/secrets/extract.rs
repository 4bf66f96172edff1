//! The private numbers of formats that openssl and ssh-keygen do not read, taken from their text or bytes by their own
//! documents, without a reader of this program.

use super::{Decoded, PIECE};
use crate::support::{open_directory, set_mode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::bytes::Regex;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was found, by the folder of the fixtures.
pub(super) type ByFamily = BTreeMap<String, Vec<Vec<u8>>>;

/// The private numbers of a file, if its folder is one of those that are known here.
pub(super) fn numbers(family: &str, path: &Path, bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    match family {
        "jwk" => jwk(bytes),
        "xml_key" => xml(&text()),
        "dnssec" => captured(
            bytes,
            r"(?m)^(?:PrivateExponent|Prime[12]|Exponent[12]|Coefficient|PrivateKey): ([A-Za-z0-9+/=]{16,})",
            &standard,
        ),
        "tsig" => captured(bytes, r#"secret "([A-Za-z0-9+/=]{16,})""#, &standard),
        "ceph_keyring" => captured(bytes, r"key = ([A-Za-z0-9+/=]{16,})", &standard)
            .iter()
            // Type, time, length.
            .map(|key| key[12..].to_vec())
            .collect(),
        "kubernetes_encryption" => captured(bytes, r"secret: ([A-Za-z0-9+/=]{16,})", &standard),
        "wireguard" => captured(
            bytes,
            r"(?i)(?:private|preshared)-?key ?= ?([A-Za-z0-9+/]{43}=)",
            &standard,
        ),
        "openvpn" => openvpn(bytes),
        "age_key" => captured(bytes, "AGE-SECRET-KEY-1([A-Z0-9]{58})", &bech32),
        "minisign" => captured(bytes, "(?m)^(RW[A-Za-z0-9+/=]{200,})", &standard)
            .iter()
            // Algorithm, no derivation, checksum; salt, limits and key number are behind them.
            .filter(|key| key[2..4] == [0, 0] && key.len() > 94)
            .map(|key| key[62..94].to_vec())
            .collect(),
        "signify" => captured(bytes, "(?m)^(RWRC[A-Za-z0-9+/=]{120,})", &standard)
            .iter()
            // Algorithms, no rounds; salt, checksum and fingerprint are behind them.
            .filter(|key| key[4..8] == [0; 4] && key.len() > 72)
            .map(|key| key[40..72].to_vec())
            .collect(),
        "tor_onion" => bytes
            .strip_prefix(b"== ed25519v1-secret: type0 ==\0\0\0")
            .and_then(|key| key.get(..64))
            .map(|key| vec![key[..32].to_vec(), key[32..].to_vec()])
            .unwrap_or_default(),
        "keytab" => keytab(bytes).unwrap_or_default(),
        "gnupg_private_key" => expression(bytes),
        "ppk" => ppk(path, &text()),
        _ => Vec::new(),
    }
}

fn standard(text: &[u8]) -> Option<Decoded> {
    STANDARD.decode(text).ok()
}

/// What the group of a pattern holds, decoded.
fn captured(
    bytes: &[u8],
    pattern: &str,
    decode: &dyn Fn(&[u8]) -> Option<Decoded>,
) -> Vec<Decoded> {
    // Bytes, not characters.
    Regex::new(&format!("(?-u){pattern}"))
        .unwrap()
        .captures_iter(bytes)
        .filter_map(|found| decode(found.get(1).unwrap().as_bytes()))
        .collect()
}

/// RFC 7518, sections 6.2.2, 6.3.2 and 6.4; RFC 8037, section 2. Quotes may be escaped.
fn jwk(bytes: &[u8]) -> Vec<Decoded> {
    let pattern = r#"\\*"(?:d|p|q|dp|dq|qi|k)\\*"\s*:\s*\\*"([A-Za-z0-9_-]{22,})"#;
    captured(bytes, pattern, &|text| URL_SAFE_NO_PAD.decode(text).ok())
}

/// The members of .NET's `RSAKeyValue` and `DSAKeyValue` that a public key does not have.
fn xml(text: &str) -> Vec<Decoded> {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#13;", "");
    let private = match text.contains("DSAKeyValue") {
        true => "X",
        false => "(?:P|Q|DP|DQ|InverseQ|D)",
    };
    let pattern = format!(r"<(?:\w+:)?{private}>([A-Za-z0-9+/=\s]{{16,}})</");
    captured(text.as_bytes(), &pattern, &|text| {
        let digits: Vec<u8> = text
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        STANDARD.decode(digits).ok()
    })
}

/// Lines of 16 octets in hexadecimal, or base64 between the armours of version 2.
fn openvpn(bytes: &[u8]) -> Vec<Decoded> {
    let mut found = captured(bytes, "(?m)^([0-9a-f]{32})$", &unhex);
    let armour = r"(?s)BEGIN OpenVPN tls-crypt-v2 (?:server|client) key-----\s(.*?)-----END";
    found.extend(captured(bytes, armour, &|text| {
        let digits: Vec<u8> = text
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        STANDARD.decode(digits).ok()
    }));
    found
}

fn unhex(text: &[u8]) -> Option<Decoded> {
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

/// The 32 octets of an identity of age (BIP 173), behind which six letters are a checksum.
fn bech32(text: &[u8]) -> Option<Decoded> {
    const LETTERS: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut out = Vec::new();
    for letter in text.get(..52)? {
        let value = LETTERS.iter().position(|known| known == letter)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

/// MIT's keytab format, version 2: entries behind their lengths; a key behind its type and length.
fn keytab(bytes: &[u8]) -> Option<Vec<Decoded>> {
    let mut rest = bytes.strip_prefix(b"\x05\x02")?;
    let mut keys = Vec::new();
    let number = |bytes: &[u8]| -> Option<usize> {
        Some(usize::from(u16::from_be_bytes(
            bytes.get(..2)?.try_into().ok()?,
        )))
    };
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let Some((entry, after)) = after.split_at_checked(length) else {
            break;
        };
        rest = after;
        let mut at = 2;
        // The realm and the components of the name.
        for _ in 0..=number(entry)? {
            at += 2 + number(entry.get(at..)?)?;
        }
        // Type of the name, time, version, type of the key.
        at += 4 + 4 + 1 + 2;
        let size = number(entry.get(at..)?)?;
        keys.push(entry.get(at + 2..at + 2 + size)?.to_vec());
    }
    Some(keys)
}

/// The secret members of a key of GnuPG in clear: canonical or advanced S-expressions.
fn expression(bytes: &[u8]) -> Vec<Decoded> {
    let holds = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    if !holds(b"private-key") || holds(b"protected-private-key") || holds(b"shadowed-private-key") {
        return Vec::new();
    }
    let names: &[u8] = if holds(b"rsa") { b"dpqu" } else { b"dx" };
    let mut found = Vec::new();
    for name in names {
        let name = char::from(*name);
        found.extend(captured(
            bytes,
            &format!(r"\({name}\s*#([0-9A-Fa-f\s]+)#"),
            &unhex,
        ));
        let head = format!("(1:{name}");
        for at in memchr::memmem::find_iter(bytes, &head) {
            let rest = &bytes[at + head.len()..];
            let colon = rest.iter().position(|b| *b == b':').unwrap();
            let size: usize = std::str::from_utf8(&rest[..colon])
                .unwrap()
                .parse()
                .unwrap();
            found.push(rest[colon + 1..colon + 1 + size].to_vec());
        }
    }
    found
}

/// The private lines of a key of PuTTY in clear.
fn ppk(path: &Path, text: &str) -> Vec<Decoded> {
    if !text.contains("Encryption: none") || path.extension().is_none_or(|end| end != "ppk") {
        return Vec::new();
    }
    let Some((_, lines)) = text.split_once("Private-Lines: ") else {
        return Vec::new();
    };
    let digits: String = lines
        .lines()
        .skip(1)
        .take_while(|line| !line.contains(':'))
        .collect();
    STANDARD.decode(digits).into_iter().collect()
}

/// What the keystores' own tools found in the fixtures (`fixtures/generate/private_numbers.py`); each file must be the one that
/// they looked at.
pub(super) fn of_keystores() -> ByFamily {
    let mut found = ByFamily::new();
    let list = fs::read_to_string("fixtures/private_numbers.txt").unwrap();
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for line in list.lines() {
        let [case, digest, number] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not a line of the list");
        };
        let now = digests.entry(case.to_owned()).or_insert_with(|| {
            let bytes = fs::read(Path::new("fixtures").join(case)).unwrap();
            Sha256::digest(bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect()
        });
        assert_eq!(
            now, digest,
            "{case}: make fixtures/private_numbers.txt anew"
        );
        let family = case.split('/').next().unwrap().to_owned();
        let number = unhex(number.as_bytes()).unwrap();
        found.entry(family).or_default().push(number);
    }
    found
}

/// The secret numbers of OpenPGP keys in clear, as gpg prints them.
pub(super) fn of_openpgp(files: &[PathBuf]) -> Vec<Vec<u8>> {
    let home = open_directory();
    set_mode(home.path(), 0o700);
    let mut found = Vec::new();
    for file in files {
        let printed = Command::new("gpg")
            .args(["--batch", "--debug", "mpi", "--list-packets"])
            .arg(file)
            .env("GNUPGHOME", home.path())
            .output()
            .unwrap_or_else(|e| panic!("gpg cannot be run ({e}): package gnupg"));
        found.extend(captured(
            &printed.stdout,
            r"(?m)^\s*skey\[\d\]: ([0-9A-F]{32,})$",
            &unhex,
        ));
    }
    found
}

/// Texts by which a secret is known as it stands: the digits of an identity of age, base64 of keys.
pub(super) fn texts(bytes: &[u8]) -> Vec<Vec<u8>> {
    captured(bytes, "AGE-SECRET-KEY-1([A-Z0-9]{40})", &|text| {
        Some(text.to_vec())
    })
}

#[test]
fn the_forms_are_read_as_their_documents_say() {
    // RFC 8037, appendix A.1.
    let key = br#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    assert_eq!(jwk(key)[0][..4], [0x9d, 0x61, 0xb1, 0x9d]);
    // The test vectors of age's documents: an identity of which the octets are those of its X25519 scalar.
    let zeros = bech32(&[b'Q'; 58]).unwrap();
    assert_eq!(zeros, [0; 32]);
    assert_eq!(unhex(b"00 ff\n10"), Some(vec![0, 0xff, 0x10]));
    assert!(STANDARD_NO_PAD.decode("AAAA").unwrap().len() < PIECE);
}
