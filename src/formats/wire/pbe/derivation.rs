//! Key derivation functions by their AlgorithmIdentifier: PBKDF2 (RFC 8018, appendix A.2), scrypt (RFC 7914,
//! section 7).

use super::hash::{self, Hash};
use super::{charge, unsupported};
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid;
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Effort};
use zeroize::Zeroizing;

/// A key derivation function with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation<'a> {
    /// PBKDF2.
    Pbkdf2 {
        /// The hash of its HMAC.
        hash: Hash,
        /// Salt.
        salt: &'a [u8],
        /// Iterations.
        iterations: u64,
        /// Length of the key, where the parameters tell it.
        key_length: Option<u64>,
    },
    /// scrypt.
    Scrypt {
        /// Salt.
        salt: &'a [u8],
        /// Cost, a power of two.
        n: u64,
        /// Block size.
        r: u64,
        /// Parallelism.
        p: u64,
        /// Length of the key, where the parameters tell it.
        key_length: Option<u64>,
    },
}

impl<'a> Derivation<'a> {
    /// Reads the AlgorithmIdentifier of a function.
    pub fn read(algorithm: &Algorithm<'a>) -> Result<Self, Closed> {
        let unreadable = || unsupported("a key derivation whose parameters cannot be read");
        let parameters = algorithm.parameters.as_ref().ok_or_else(unreadable)?;
        match algorithm.oid {
            oid::PBKDF2 => pbkdf2(parameters)?.ok_or_else(unreadable),
            oid::SCRYPT => scrypt_parameters(parameters).ok_or_else(unreadable),
            other => Err(unsupported(&oid::named(oid::encryption(other), other))),
        }
    }

    /// Length of the key, where the parameters tell it.
    pub const fn key_length(&self) -> Option<u64> {
        match self {
            Self::Pbkdf2 { key_length, .. } | Self::Scrypt { key_length, .. } => *key_length,
        }
    }

    /// The function and its cost in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Pbkdf2 {
                hash, iterations, ..
            } => format!("PBKDF2 {} of {iterations} iterations", hash.hmac_name()),
            Self::Scrypt { n, r, p, .. } => format!("scrypt of N={n}, r={r}, p={p}"),
        }
    }

    /// A key of so many octets.
    pub fn derive(
        &self,
        password: &[u8],
        length: usize,
        effort: &Effort,
    ) -> Result<Zeroizing<Vec<u8>>, Closed> {
        match *self {
            Self::Pbkdf2 {
                hash,
                salt,
                iterations,
                ..
            } => hash.pbkdf2(password, salt, iterations, length, effort),
            Self::Scrypt { salt, n, r, p, .. } => scrypt(password, salt, (n, r, p), length, effort),
        }
    }
}

/// scrypt with cost N, block size r and parallelism p.
pub fn scrypt(
    password: &[u8],
    salt: &[u8],
    (n, r, p): (u64, u64, u64),
    length: usize,
    effort: &Effort,
) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let told = || super::salted(format!("scrypt of N={n}, r={r}, p={p}"), salt);
    let blocks = n.saturating_add(p).saturating_mul(r);
    let memory = blocks.saturating_mul(128);
    if memory > Effort::MEMORY_MAX {
        let asked = memory >> 20;
        return Err(Closed::Limit(format!("{}, {asked} MiB of memory", told())));
    }
    // A block of r costs two mixings of 128 r octets: about as much as r iterations of PBKDF2.
    // Each of the four blocks of PBKDF2 that start one goes over the salt.
    let each = n.saturating_add(super::salt_units(salt).saturating_mul(4));
    charge(effort, each.saturating_mul(r).saturating_mul(p), told)?;
    let parameters = (|| {
        let log_n =
            u8::try_from(n.checked_ilog2().filter(|log| n == 1 << log && *log > 0)?).ok()?;
        scrypt::Params::new(log_n, u32::try_from(r).ok()?, u32::try_from(p).ok()?).ok()
    })()
    .ok_or_else(|| Closed::Unsupported(told()))?;
    let mut out = Zeroizing::new(vec![0; length]);
    scrypt::scrypt(password, salt, &parameters, &mut out)
        .map_err(|_| Closed::Unsupported(told()))?;
    Ok(out)
}

/// A positive number; one beyond 64 bits counts as the largest.
pub(super) fn count(element: &Element<'_>) -> Option<u64> {
    let magnitude = element.unsigned().ok()?;
    if magnitude.is_empty() {
        return None;
    }
    Some(element.small().unwrap_or(u64::MAX))
}

fn pbkdf2<'a>(parameters: &Element<'a>) -> Result<Option<Derivation<'a>>, Closed> {
    let read = || {
        let mut fields = parameters.enter(der::SEQUENCE).ok()?;
        let salt = fields.expect(der::OCTET_STRING).ok()?.content;
        let iterations = count(&fields.expect(der::INTEGER).ok()?)?;
        let key_length = match fields.optional(der::INTEGER).ok()? {
            Some(length) => Some(count(&length)?),
            None => None,
        };
        let function = match fields.optional(der::SEQUENCE).ok()? {
            Some(function) => Some(Algorithm::read(&function).ok()?),
            None => None,
        };
        Some((salt, iterations, key_length, function))
    };
    let Some((salt, iterations, key_length, function)) = read() else {
        return Ok(None);
    };
    let hash = match function {
        Some(function) => Hash::by_hmac(function.oid).ok_or_else(|| hash::unknown(function.oid))?,
        None => hash::DEFAULT_HMAC,
    };
    Ok(Some(Derivation::Pbkdf2 {
        hash,
        salt,
        iterations,
        key_length,
    }))
}

fn scrypt_parameters<'a>(parameters: &Element<'a>) -> Option<Derivation<'a>> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    let salt = fields.expect(der::OCTET_STRING).ok()?.content;
    let mut number = || count(&fields.expect(der::INTEGER).ok()?);
    let (n, r, p) = (number()?, number()?, number()?);
    let key_length = if fields.is_empty() {
        None
    } else {
        Some(count(&fields.expect(der::INTEGER).ok()?)?)
    };
    Some(Derivation::Scrypt {
        salt,
        n,
        r,
        p,
        key_length,
    })
}
