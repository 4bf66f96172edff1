//! Password-based encryption: PBES1 and PBES2 (RFC 8018), the schemes of PKCS#12 (RFC 7292, appendix C), and the
//! older encryption of PEM.
//!
//! What a derivation costs is read first and taken from the [`Effort`]; what is refused is [`Closed::Limit`]. A
//! wrong password shows in the padding, and where it does not (one in 256, or a stream cipher) in the contents,
//! which the caller judges.

mod cipher;
mod derivation;
mod hash;
mod pbes1;
pub mod pem;
pub mod pkcs12;

pub use cipher::Cipher;
pub use derivation::{Derivation, scrypt};
pub use hash::Hash;

use super::der::{self, Element};
use super::oid;
use super::spki::Algorithm;
use crate::model::{Closed, Effort};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Opens `data` under an encryption AlgorithmIdentifier. `accept` gets what a password (in one of the forms that the
/// scheme may take it in) makes of it, and gives nothing for what cannot be right.
pub fn open<T>(
    algorithm: &Algorithm<'_>,
    data: &[u8],
    password: &[u8],
    effort: &Effort,
    mut accept: impl FnMut(Zeroizing<Vec<u8>>) -> Option<T>,
) -> Result<Option<T>, Closed> {
    let scheme = Scheme::read(algorithm)?;
    let forms = match scheme {
        Scheme::Pkcs12(_) => pkcs12::forms(password),
        _ => vec![Zeroizing::new(password.to_vec())],
    };
    for form in &forms {
        let clear = scheme.decrypt(data, form, effort)?;
        if let Some(opened) = clear.and_then(&mut accept) {
            return Ok(Some(opened));
        }
    }
    Ok(None)
}

/// The same with exactly these bytes as the password, whatever the scheme.
pub fn open_exactly(
    algorithm: &Algorithm<'_>,
    data: &[u8],
    password: &[u8],
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    Scheme::read(algorithm)?.decrypt(data, password, effort)
}

/// The scheme in words: `PBES2 aes-256-cbc, PBKDF2 hmacWithSHA256`.
pub fn describe(algorithm: &Algorithm<'_>) -> String {
    let name = oid::named(oid::encryption(algorithm.oid), algorithm.oid);
    if !matches!(algorithm.oid, oid::PBES2 | oid::PBMAC1) {
        return name.into_owned();
    }
    let Some((derivation, cipher)) = algorithm.parameters.as_ref().and_then(two_algorithms) else {
        return name.into_owned();
    };
    let cipher = oid::named(oid::encryption(cipher.oid), cipher.oid);
    let words = oid::named(oid::encryption(derivation.oid), derivation.oid);
    match Derivation::read(&derivation) {
        Ok(Derivation::Pbkdf2 { hash, .. }) => {
            format!("{name} {cipher}, {words} {}", hash.hmac_name())
        }
        _ => match derivation.parameters.as_ref().and_then(named_function) {
            Some(function) => format!("{name} {cipher}, {words} {function}"),
            None => format!("{name} {cipher}, {words}"),
        },
    }
}

/// The pseudo-random function of PBKDF2-params that is not computed with: the AlgorithmIdentifier at their end.
fn named_function(parameters: &Element<'_>) -> Option<Cow<'static, str>> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    while fields.peek()? != der::SEQUENCE {
        fields.element().ok()?;
    }
    let function = Algorithm::read(&fields.element().ok()?).ok()?;
    Some(oid::named(oid::encryption(function.oid), function.oid))
}

/// Two AlgorithmIdentifiers in a SEQUENCE: PBES2-params and PBMAC1-params (RFC 8018, appendix A.4 and A.5).
pub fn two_algorithms<'a>(parameters: &Element<'a>) -> Option<(Algorithm<'a>, Algorithm<'a>)> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    let derivation = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    let other = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    Some((derivation, other))
}

/// What is missing, in words for people.
pub(super) fn unsupported(what: &str) -> Closed {
    Closed::Unsupported(what.to_owned())
}

/// Takes away what a derivation costs.
pub fn charge(effort: &Effort, units: u64, what: impl FnOnce() -> String) -> Result<(), Closed> {
    if effort.spend(units) {
        return Ok(());
    }
    let left = if units > Effort::PER_FILE {
        "more than one file is granted"
    } else {
        "what one file is granted is used up"
    };
    Err(Closed::Limit(format!("{}: {left}", what())))
}

/// What hashing a salt once costs.
fn salt_units(salt: &[u8]) -> u64 {
    u64::try_from(salt.len() / 128).unwrap_or(u64::MAX)
}

/// A derivation in words, with the length of a salt that costs something.
fn salted(mut what: String, salt: &[u8]) -> String {
    if salt_units(salt) > 0 {
        what.push_str(&format!(", a salt of {} bytes", salt.len()));
    }
    what
}

enum Scheme<'a> {
    Pbes1(pbes1::Pbes1<'a>),
    Pbes2 {
        derivation: Derivation<'a>,
        cipher: Cipher,
        iv: &'a [u8],
    },
    Pkcs12(pkcs12::Scheme<'a>),
}

impl<'a> Scheme<'a> {
    fn read(algorithm: &Algorithm<'a>) -> Result<Self, Closed> {
        if algorithm.oid == oid::PBES2 {
            let (derivation, encryption) =
                algorithm
                    .parameters
                    .as_ref()
                    .and_then(two_algorithms)
                    .ok_or_else(|| unsupported("PBES2 whose parameters cannot be read"))?;
            let (cipher, iv) = Cipher::read(&encryption)?;
            let derivation = Derivation::read(&derivation)?;
            return Ok(Self::Pbes2 {
                derivation,
                cipher: cipher.with_length(derivation.key_length()),
                iv,
            });
        }
        if let Some(scheme) = pkcs12::Scheme::read(algorithm)? {
            return Ok(Self::Pkcs12(scheme));
        }
        if let Some(scheme) = pbes1::Pbes1::read(algorithm)? {
            return Ok(Self::Pbes1(scheme));
        }
        let name = oid::named(oid::encryption(algorithm.oid), algorithm.oid);
        Err(unsupported(&name))
    }

    fn decrypt(
        &self,
        data: &[u8],
        password: &[u8],
        effort: &Effort,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        match self {
            Self::Pbes1(scheme) => scheme.decrypt(data, password, effort),
            Self::Pkcs12(scheme) => scheme.decrypt(data, password, effort),
            Self::Pbes2 {
                derivation,
                cipher,
                iv,
            } => {
                let key = derivation.derive(password, cipher.key_length(), effort)?;
                decrypt(*cipher, &key, iv, data, effort)
            }
        }
    }
}

/// Decrypts, and charges for it, if the last block does not refute the key already.
fn decrypt(
    cipher: Cipher,
    key: &[u8],
    iv: &[u8],
    data: &[u8],
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    if !cipher.has_right_padding(key, iv, data) {
        return Ok(None);
    }
    // A block of the slowest, triple DES, has eight octets and takes as long as an iteration.
    let units = u64::try_from(data.len() / 8).unwrap_or(u64::MAX);
    charge(effort, units, || {
        format!("{} bytes of ciphertext", data.len())
    })?;
    Ok(cipher.decrypt(key, iv, data))
}

/// Salt and iteration count: PBEParameter and pkcs-12PbeParams.
fn salt_and_iterations<'a>(algorithm: &Algorithm<'a>) -> Result<(&'a [u8], u64), Closed> {
    let read = || {
        let mut fields = algorithm.parameters?.enter(der::SEQUENCE).ok()?;
        let salt = fields.expect(der::OCTET_STRING).ok()?.content;
        let iterations = fields.expect(der::INTEGER).ok()?;
        Some((salt, derivation::count(&iterations)?))
    };
    read().ok_or_else(|| unsupported("password-based encryption whose parameters cannot be read"))
}

#[cfg(test)]
mod tests;
