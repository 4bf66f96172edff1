//! OpenSSL's older encryption of PEM bodies: `DEK-Info` (RFC 1421, section 4.6.1.3) and `EVP_BytesToKey` with MD5 and
//! one iteration.

use super::{Cipher, Hash, charge, decrypt};
use crate::model::{Closed, Effort};
use zeroize::Zeroizing;

/// Opens a body; `info` is the value of its `DEK-Info`: the cipher's name, a comma, and the initialisation vector in
/// hexadecimal, whose first eight octets are the salt.
pub fn open(
    info: &str,
    body: &[u8],
    password: &[u8],
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    let (name, vector) = info.split_once(',').unwrap_or((info, ""));
    let name = name.trim();
    let cipher = Cipher::by_pem_name(name)
        .ok_or_else(|| Closed::Unsupported(format!("PEM encryption with {}", shown(name))))?;
    let iv = hexadecimal(vector.trim())
        .filter(|iv| iv.len() == cipher.block_length())
        .ok_or_else(|| Closed::Unsupported("PEM encryption without its salt".to_owned()))?;
    let Some(salt) = iv.get(..8) else {
        return Ok(None);
    };
    charge(effort, 4, || "PEM encryption".to_owned())?;
    let key = bytes_to_key(password, salt, cipher.key_length());
    decrypt(cipher, &key, &iv, body, effort)
}

/// `EVP_BytesToKey(3)` with MD5 and one iteration.
fn bytes_to_key(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
    while key.len() < length {
        last = Hash::Md5.digest(&[&last, password, salt]);
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits.filter(|d| d.len() % 2 == 0)?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |n, d| n << 4 | d))
            .collect(),
    )
}

/// A cipher's name from outside, if it looks like one.
fn shown(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.len() <= 32 && name.chars().all(plain) {
        name
    } else {
        "an unknown cipher"
    }
}
