//! Key derivation and encryption schemes of PKCS#12 (RFC 7292, appendices B and C).

use super::{Cipher, Hash, charge, decrypt, salt_and_iterations};
use crate::formats::wire::oid::oid;
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Effort};
use zeroize::Zeroizing;

/// What a derived value is for (RFC 7292, appendix B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A key.
    Key = 1,
    /// An initialisation vector.
    Vector = 2,
    /// A key of a MAC.
    Mac = 3,
}

/// Identifier and cipher; the hash is SHA-1.
static SCHEMES: &[(&[u8], Cipher)] = &[
    (oid!(1, 2, 840, 113549, 1, 12, 1, 1), Cipher::Rc4(16)),
    (oid!(1, 2, 840, 113549, 1, 12, 1, 2), Cipher::Rc4(5)),
    (oid!(1, 2, 840, 113549, 1, 12, 1, 3), Cipher::TripleDes3),
    (oid!(1, 2, 840, 113549, 1, 12, 1, 4), Cipher::TripleDes2),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 5),
        Cipher::Rc2 {
            length: 16,
            bits: 128,
        },
    ),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 6),
        Cipher::Rc2 {
            length: 5,
            bits: 40,
        },
    ),
];

pub(super) struct Scheme<'a> {
    cipher: Cipher,
    salt: &'a [u8],
    iterations: u64,
}

impl<'a> Scheme<'a> {
    /// Nothing if it is another scheme.
    pub(super) fn read(algorithm: &Algorithm<'a>) -> Result<Option<Self>, Closed> {
        let scheme = SCHEMES.iter().find(|(id, _)| *id == algorithm.oid);
        let Some((_, cipher)) = scheme else {
            return Ok(None);
        };
        let (salt, iterations) = salt_and_iterations(algorithm)?;
        Ok(Some(Self {
            cipher: *cipher,
            salt,
            iterations,
        }))
    }

    pub(super) fn decrypt(
        &self,
        data: &[u8],
        password: &[u8],
        effort: &Effort,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        let derived = |purpose, length| {
            let Self {
                salt, iterations, ..
            } = *self;
            derive(
                Hash::Sha1,
                purpose,
                password,
                salt,
                iterations,
                length,
                effort,
            )
        };
        let key = derived(Purpose::Key, self.cipher.key_length())?;
        let iv = derived(Purpose::Vector, self.cipher.block_length())?;
        decrypt(self.cipher, &key, &iv, data, effort)
    }
}

/// The key derivation of RFC 7292, appendix B.2. The password is a BMPString with its two zero octets, as
/// [`forms`] gives it.
pub fn derive(
    hash: Hash,
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    length: usize,
    effort: &Effort,
) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let (u, v) = (hash.length(), hash.block());
    let blocks = u64::try_from(length.div_ceil(u)).unwrap_or(u64::MAX);
    let each = iterations.saturating_add(super::salt_units(salt));
    let units = each.saturating_mul(blocks).saturating_mul(hash.weight());
    charge(effort, units, || {
        let what = format!("PKCS#12 key derivation of {iterations} iterations");
        super::salted(what, salt)
    })?;
    let diversifier = vec![purpose as u8; v];
    let mut input = repeated(salt, v);
    input.extend_from_slice(&repeated(password, v));
    let mut out = Zeroizing::new(Vec::with_capacity(length + u));
    while out.len() < length {
        let block = hash.iterated(&[&diversifier, &input], iterations);
        out.extend_from_slice(&block);
        let addend = repeated_to(&block, v);
        for chunk in input.chunks_mut(v) {
            add_with_one(chunk, &addend);
        }
    }
    out.truncate(length);
    Ok(out)
}

/// The bytes again and again, up to the next multiple of `v`; of nothing, nothing.
fn repeated(bytes: &[u8], v: usize) -> Zeroizing<Vec<u8>> {
    repeated_to(bytes, bytes.len().div_ceil(v).saturating_mul(v))
}

fn repeated_to(bytes: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.iter().copied().cycle().take(length).collect())
}

/// Adds, modulo the size, a number of the same length and one.
fn add_with_one(number: &mut [u8], addend: &[u8]) {
    let mut carry = true;
    for (octet, other) in number.iter_mut().zip(addend).rev() {
        let (sum, first) = octet.overflowing_add(*other);
        let (sum, second) = sum.overflowing_add(u8::from(carry));
        *octet = sum;
        carry = first || second;
    }
}

/// The forms in which a password may have been taken: UTF-16 with two zero octets (RFC 7292, appendix B.1). The
/// empty one is either nothing or the two octets. What is not ASCII was also taken octet by octet (OpenSSL before 1.1.0,
/// and for passwords that are no UTF-8 still).
pub fn forms(password: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    if password.is_empty() {
        return vec![Zeroizing::new(vec![0, 0]), Zeroizing::default()];
    }
    let mut forms = Vec::new();
    if let Ok(text) = std::str::from_utf8(password) {
        forms.push(wide(text.encode_utf16()));
    }
    if !password.is_ascii() {
        forms.push(wide(password.iter().copied().map(u16::from)));
    }
    forms
}

fn wide(units: impl Iterator<Item = u16>) -> Zeroizing<Vec<u8>> {
    // Reserved beforehand, so that no copy is left behind.
    let mut out = Zeroizing::new(Vec::with_capacity(256));
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(units.collect());
    out.reserve_exact(units.len() * 2 + 2);
    for unit in units.iter() {
        out.extend_from_slice(&unit.to_be_bytes());
    }
    out.extend_from_slice(&[0, 0]);
    out
}
