//! Keeps private material out of everything that is passed on: entries, faults, errors.

use base64::Engine as _;

/// Characters that stand in all that a private key is known by, and seldom in other cells: looking for them is cheaper.
mod telling {
    pub(super) const Y: u16 = 1;
    pub(super) const V: u16 = 1 << 1;
    pub(super) const L: u16 = 1 << 2;
    pub(super) const X: u16 = 1 << 3;
    pub(super) const J: u16 = 1 << 4;
    pub(super) const DASH: u16 = 1 << 5;
    pub(super) const BLANK: u16 = 1 << 6;
    pub(super) const QUOTE: u16 = 1 << 7;
    /// What stands between words, in ASCII or perhaps beyond.
    pub(super) const BETWEEN: u16 = 1 << 8;

    /// All of them that a text has.
    pub(super) fn of(text: &str) -> u16 {
        let bit = |byte: u8| BITS.get(usize::from(byte)).copied().unwrap_or(0);
        text.bytes().fold(0, |seen, byte| seen | bit(byte))
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "worked out when compiling, where it cannot panic"
    )]
    static BITS: [u16; 256] = {
        let mut bits = [0; 256];
        let mut byte = 0u8;
        loop {
            bits[byte as usize] = match byte {
                b'Y' => Y,
                b'V' => V,
                b'L' => L,
                b'X' => X,
                b'j' => J,
                b'-' => DASH,
                b' ' => BLANK | BETWEEN,
                b'"' => QUOTE | BETWEEN,
                b'\t'..=b'\r' | b'\'' | b',' | b';' | 0x80.. => BETWEEN,
                _ => 0,
            };
            if byte == u8::MAX {
                break;
            }
            byte += 1;
        }
        bits
    };
}

/// Shortest word that is read as an encoded key.
const SHORTEST_WORD: usize = 48;
/// Shortest of the signs but for a JSON Web Key, whose names have quotes.
const SHORTEST_SIGN: usize = 14;

/// Whether a cell holds a private key or a secret, by its content.
pub(super) fn holds_private_material(cell: &str) -> bool {
    use telling::{BETWEEN, BLANK, DASH, J, L, QUOTE, V, X, Y};
    if cell.len() < SHORTEST_SIGN && !cell.as_bytes().contains(&b'"') {
        return false;
    }
    // A digest is the commonest long cell.
    if cell.bytes().all(|b| b.is_ascii_hexdigit()) && !cell.starts_with("30") {
        return false;
    }
    const SIGNS: &[(u16, &str)] = &[
        (Y | DASH, "PuTTY-User-Key-File"),
        (L | DASH, "Private-Lines:"),
        (Y | DASH, "AGE-SECRET-KEY-"),
        (V | BLANK, "BEGIN OpenVPN Static"),
        // base64 of `openssh-key-v1`
        (X | J, "b3BlbnNzaC1rZXktdjE"),
    ];
    let seen = telling::of(cell);
    let may_have = |all: u16| seen & all == all;
    if SIGNS
        .iter()
        .any(|(all, sign)| may_have(*all) && cell.contains(sign))
    {
        return true;
    }
    // `PRIVATE KEY` as words of prose or of a type is no key; behind an armour's dashes it is.
    if may_have(Y | DASH | BLANK)
        && cell.contains("PRIVATE KEY")
        && (cell.contains("-----BEGIN") || cell.contains("---- BEGIN"))
    {
        return true;
    }
    if may_have(QUOTE)
        && cell.contains("\"kty\"")
        && (cell.contains("\"d\"") || cell.contains("\"k\""))
    {
        return true;
    }
    if cell.len() < SHORTEST_WORD {
        false
    } else if may_have(BETWEEN) {
        has_encoded_private_key(cell)
    } else {
        is_encoded_private_key(cell)
    }
}

fn has_encoded_private_key(cell: &str) -> bool {
    if !cell.is_ascii() {
        return cell
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';'))
            .any(is_encoded_private_key);
    }
    let between = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r' | b'"' | b'\'' | b',' | b';');
    cell.as_bytes()
        .split(between)
        .filter(|word| word.len() >= SHORTEST_WORD)
        .filter_map(|word| std::str::from_utf8(word).ok())
        .any(is_encoded_private_key)
}

/// Whether a word is base64 or hexadecimal of DER that begins like a private key (RFC 8017 A.1.2, RFC 5958, RFC 5915),
/// an encrypted one (RFC 5958, section 3) or a PKCS#12 file (RFC 7292).
fn is_encoded_private_key(word: &str) -> bool {
    // What it must begin with, for 0x30 in hexadecimal, 0x30 in base64 and `-` in base64.
    if word.len() < SHORTEST_WORD || !word.starts_with(['3', 'M', 'L']) {
        return false;
    }
    let hex: Option<Vec<u8>> = word.get(..48).and_then(|head| {
        head.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    });
    if hex.is_some_and(|head| begins_like_private_key(&head)) {
        return true;
    }
    let standard: String = word
        .chars()
        .take(48)
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    // Kubernetes keeps armours in base64 once more.
    let is_armour = |head: &[u8]| {
        head.starts_with(b"-----BEGIN") && head.windows(11).any(|w| w == b"PRIVATE KEY")
    };
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(standard)
        .is_ok_and(|head| begins_like_private_key(&head) || is_armour(&head))
}

fn begins_like_private_key(der: &[u8]) -> bool {
    let content = match der {
        [0x30, length, rest @ ..] if *length < 0x80 => rest,
        [0x30, 0x81, _, rest @ ..] | [0x30, 0x82, _, _, rest @ ..] => rest,
        [0x30, 0x83, _, _, _, rest @ ..] => rest,
        _ => return false,
    };
    match content {
        // version INTEGER 0, 1 or 3, then the numbers, the algorithm or the bags
        [0x02, 0x01, 0x00 | 0x01 | 0x03, next, ..] => matches!(next, 0x02 | 0x04 | 0x30),
        // AlgorithmIdentifier of PKCS#5 (1.2.840.113549.1.5) or PKCS#12 (1.2.840.113549.1.12.1)
        [0x30, ..] => {
            let head = content.get(..16).unwrap_or(content);
            [
                [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05],
                [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c],
            ]
            .iter()
            .any(|oid| head.windows(oid.len()).any(|w| w == oid))
        }
        _ => false,
    }
}

/// Whether a column's name (compact) says that it holds secrets; what it holds is not kept.
pub(super) fn names_a_secret(compact_header: &str) -> bool {
    const WORDS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "passwort",
        "kennwort",
        "secretvalue",
        "keymaterial",
        "keyvalue",
        "privatekey",
        "privkey",
        "secretkey",
        "storepass",
        "keypass",
        "apikey",
        "accesskey",
    ];
    const WHOLE: &[&str] = &[
        "pwd",
        "pass",
        "secret",
        "secrets",
        "pin",
        "puk",
        "token",
        "psk",
        "presharedkey",
        "k",
        "d",
        "p",
        "q",
        "dp",
        "dq",
        "qi",
        "seed",
        "value",
        "plaintext",
    ];
    // `passwordChanged`, `privateKeyPath`, `hasPrivateKey` speak about a secret and do not hold it.
    const ABOUT: &[&str] = &[
        "path",
        "file",
        "location",
        "date",
        "changed",
        "policy",
        "protected",
        "expires",
        "expiry",
        "exportable",
        "has",
        "is",
        "count",
        "owner",
    ];
    WHOLE.contains(&compact_header)
        || (WORDS.iter().any(|w| compact_header.contains(w))
            && !ABOUT
                .iter()
                .any(|w| compact_header.starts_with(w) || compact_header.ends_with(w)))
}

/// The shape of a cell, for messages: digits as `9`, letters as `a`, control characters gone, at most 40 characters.
/// So a message helps to find the fault and can never repeat a secret that stands in the wrong column.
pub(super) fn shape(cell: &str) -> String {
    let mut out: String = cell
        .chars()
        .take(40)
        .map(|c| match c {
            c if c.is_numeric() => '9',
            c if c.is_alphabetic() => 'a',
            c if c.is_control() || !c.is_ascii() => '?',
            c => c,
        })
        .collect();
    if cell.chars().nth(40).is_some() {
        out.push('…');
    }
    out
}

/// A header or a file's word for messages: control characters gone, at most 60 characters.
pub(super) fn quoted(text: &str) -> String {
    if holds_private_material(text) {
        return "(private material)".to_owned();
    }
    let mut out: String = text
        .chars()
        .take(60)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_material_is_known_in_its_usual_clothes() {
        for cell in [
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAw",
            "x -----BEGIN OPENSSH PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----",
            "PuTTY-User-Key-File-3: ssh-ed25519",
            "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
            // RFC 8410, section 10.3
            "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
        ] {
            assert!(holds_private_material(cell), "{cell}");
        }
        let twice = |label: &str| {
            let armour = format!("-----BEGIN {label}-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK\n");
            base64::engine::general_purpose::STANDARD.encode(armour)
        };
        assert!(holds_private_material(&twice("RSA PRIVATE KEY")));
        assert!(!holds_private_material(&twice("CERTIFICATE")));
    }

    #[test]
    fn public_material_and_prose_pass() {
        for cell in [
            "Private key of the web server",
            "PRIVATE KEY",
            "-----BEGIN CERTIFICATE-----\nMIIB",
            // RFC 8410, section 10.1 and 10.2 (beginning)
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
            "MIIBLDCB36ADAgECAghWAUdKKo3DMDAFBgMrZXAwGTEXMBUGA1UEAwwOSUVURiBUZXN0IERlbW8w",
            "9b86273d4fe62fd98fe02c4b2e8dd11bb9bf5f9b0f4bd1a3a2ba2b0fa9c4c3f1",
        ] {
            assert!(!holds_private_material(cell), "{cell}");
        }
    }

    #[test]
    fn columns_of_secrets_are_known_by_name() {
        for name in ["password", "keystorepassword", "privatekey", "pin", "d"] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in [
            "privatekeypath",
            "passwordlastchanged",
            "hasprivatekey",
            "notes",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn a_shape_holds_no_letter_of_the_cell() {
        assert_eq!(shape("hunter2!\u{1b}[0m"), "aaaaaa9!?[9a");
        assert_eq!(shape(&"x".repeat(50)).chars().count(), 41);
    }
}
