//! Digests, HMAC and PBKDF2 (RFC 8018, section 5.2) by the hash that a parameter names.

use super::charge;
use crate::formats::wire::oid::{self, oid};
use crate::model::{Closed, Effort};
use hmac::{Hmac, KeyInit as _, Mac as _};
use zeroize::{Zeroize as _, Zeroizing};

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// RFC 1321.
    Md5,
    /// FIPS 180-4.
    Sha1,
    /// FIPS 180-4.
    Sha224,
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4.
    Sha384,
    /// FIPS 180-4.
    Sha512,
    /// FIPS 180-4.
    Sha512_224,
    /// FIPS 180-4.
    Sha512_256,
    /// FIPS 202.
    Sha3_224,
    /// FIPS 202.
    Sha3_256,
    /// FIPS 202.
    Sha3_384,
    /// FIPS 202.
    Sha3_512,
}

/// Calls a generic function with the type that implements the hash.
macro_rules! dispatch {
    ($hash:expr, $function:ident($($argument:expr),*)) => {
        match $hash {
            Hash::Md5 => $function::<md5::Md5>($($argument),*),
            Hash::Sha1 => $function::<sha1::Sha1>($($argument),*),
            Hash::Sha224 => $function::<sha2::Sha224>($($argument),*),
            Hash::Sha256 => $function::<sha2::Sha256>($($argument),*),
            Hash::Sha384 => $function::<sha2::Sha384>($($argument),*),
            Hash::Sha512 => $function::<sha2::Sha512>($($argument),*),
            Hash::Sha512_224 => $function::<sha2::Sha512_224>($($argument),*),
            Hash::Sha512_256 => $function::<sha2::Sha512_256>($($argument),*),
            Hash::Sha3_224 => $function::<sha3::Sha3_224>($($argument),*),
            Hash::Sha3_256 => $function::<sha3::Sha3_256>($($argument),*),
            Hash::Sha3_384 => $function::<sha3::Sha3_384>($($argument),*),
            Hash::Sha3_512 => $function::<sha3::Sha3_512>($($argument),*),
        }
    };
}

/// Identifiers of the digest and of its HMAC, the HMAC's name by OpenSSL, octets of digest and of block.
type Facts = (
    Hash,
    &'static [u8],
    &'static [u8],
    &'static str,
    usize,
    usize,
);

static FACTS: &[Facts] = &[
    (
        Hash::Md5,
        oid!(1, 2, 840, 113549, 2, 5),
        oid!(1, 3, 6, 1, 5, 5, 8, 1, 1),
        "hmac-md5",
        16,
        64,
    ),
    (
        Hash::Sha1,
        oid!(1, 3, 14, 3, 2, 26),
        oid!(1, 2, 840, 113549, 2, 7),
        "hmacWithSHA1",
        20,
        64,
    ),
    (
        Hash::Sha224,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 4),
        oid!(1, 2, 840, 113549, 2, 8),
        "hmacWithSHA224",
        28,
        64,
    ),
    (
        Hash::Sha256,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 1),
        oid!(1, 2, 840, 113549, 2, 9),
        "hmacWithSHA256",
        32,
        64,
    ),
    (
        Hash::Sha384,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 2),
        oid!(1, 2, 840, 113549, 2, 10),
        "hmacWithSHA384",
        48,
        128,
    ),
    (
        Hash::Sha512,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 3),
        oid!(1, 2, 840, 113549, 2, 11),
        "hmacWithSHA512",
        64,
        128,
    ),
    (
        Hash::Sha512_224,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 5),
        oid!(1, 2, 840, 113549, 2, 12),
        "hmacWithSHA512-224",
        28,
        128,
    ),
    (
        Hash::Sha512_256,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 6),
        oid!(1, 2, 840, 113549, 2, 13),
        "hmacWithSHA512-256",
        32,
        128,
    ),
    (
        Hash::Sha3_224,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 7),
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 13),
        "hmac-sha3-224",
        28,
        144,
    ),
    (
        Hash::Sha3_256,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 8),
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 14),
        "hmac-sha3-256",
        32,
        136,
    ),
    (
        Hash::Sha3_384,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 9),
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 15),
        "hmac-sha3-384",
        48,
        104,
    ),
    (
        Hash::Sha3_512,
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 10),
        oid!(2, 16, 840, 1, 101, 3, 4, 2, 16),
        "hmac-sha3-512",
        64,
        72,
    ),
];

impl Hash {
    /// The hash that an identifier of a digest names.
    pub fn by_digest(id: &[u8]) -> Option<Self> {
        FACTS
            .iter()
            .find(|facts| facts.1 == id)
            .map(|facts| facts.0)
    }

    /// The hash that an identifier of an HMAC names.
    pub fn by_hmac(id: &[u8]) -> Option<Self> {
        FACTS
            .iter()
            .find(|facts| facts.2 == id)
            .map(|facts| facts.0)
    }

    fn facts(self) -> Option<&'static Facts> {
        FACTS.iter().find(|facts| facts.0 == self)
    }

    /// OpenSSL's name of its HMAC.
    pub fn hmac_name(self) -> &'static str {
        self.facts().map_or("", |facts| facts.3)
    }

    /// The name of the digest, as FIPS 180-4 and 202 write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_224 => "SHA-512/224",
            Self::Sha512_256 => "SHA-512/256",
            Self::Sha3_224 => "SHA3-224",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_384 => "SHA3-384",
            Self::Sha3_512 => "SHA3-512",
        }
    }

    /// Octets of a digest.
    pub fn length(self) -> usize {
        self.facts().map_or(1, |facts| facts.4)
    }

    /// Octets of a block.
    pub fn block(self) -> usize {
        self.facts().map_or(1, |facts| facts.5)
    }

    /// How much dearer it is than SHA-1 and SHA-256, for which processors have instructions.
    pub const fn weight(self) -> u64 {
        match self {
            Self::Md5 | Self::Sha1 | Self::Sha224 | Self::Sha256 => 1,
            _ => 3,
        }
    }

    /// The digest of these parts, one after the other.
    pub fn digest(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        dispatch!(self, digest(parts))
    }

    /// The digest of these parts, digested again until it was done so many times.
    pub fn iterated(self, parts: &[&[u8]], times: u64) -> Zeroizing<Vec<u8>> {
        dispatch!(self, iterated(parts, times))
    }

    /// The HMAC (RFC 2104) of these parts, one after the other.
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        dispatch!(self, hmac(key, parts))
    }

    /// PBKDF2 with the HMAC of this hash; `length` octets.
    pub fn pbkdf2(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: u64,
        length: usize,
        effort: &Effort,
    ) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let blocks = u64::try_from(length.div_ceil(self.length())).unwrap_or(u64::MAX);
        // The first iteration of each block goes over the salt, too.
        let each = iterations.saturating_add(super::salt_units(salt));
        let units = each.saturating_mul(blocks).saturating_mul(self.weight());
        charge(effort, units, || {
            super::salted(format!("PBKDF2 of {iterations} iterations"), salt)
        })?;
        let rounds = u32::try_from(iterations)
            .map_err(|_| Closed::Limit(format!("PBKDF2 of {iterations} iterations")))?;
        let mut out = Zeroizing::new(vec![0; length]);
        dispatch!(self, derive(password, salt, rounds, &mut out));
        Ok(out)
    }
}

/// PBKDF2's pseudo-random function where a parameter names none (RFC 8018, appendix A.2).
pub(super) const DEFAULT_HMAC: Hash = Hash::Sha1;

/// What is said of an HMAC that is not known here.
pub(super) fn unknown(id: &[u8]) -> Closed {
    Closed::Unsupported(oid::named(oid::encryption(id), id).into_owned())
}

fn digest<D: sha2::Digest>(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    iterated::<D>(parts, 1)
}

fn iterated<D: sha2::Digest>(parts: &[&[u8]], times: u64) -> Zeroizing<Vec<u8>> {
    let mut state = D::new();
    for part in parts {
        state.update(part);
    }
    let mut digest = state.finalize();
    for _further in 1..times {
        digest = D::digest(&digest);
    }
    let kept = Zeroizing::new(digest.to_vec());
    digest.as_mut_slice().zeroize();
    kept
}

fn hmac<D: hmac::EagerHash>(key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    // HMAC takes a key of any length.
    let Ok(mut state) = Hmac::<D>::new_from_slice(key) else {
        return Zeroizing::default();
    };
    for part in parts {
        state.update(part);
    }
    Zeroizing::new(state.finalize().into_bytes().to_vec())
}

fn derive<D: hmac::EagerHash>(password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8])
where
    Hmac<D>: hmac::KeyInit + hmac::digest::Update + hmac::digest::FixedOutput + Clone,
{
    // HMAC takes a key of any length.
    let _ = pbkdf2::pbkdf2::<Hmac<D>>(password, salt, rounds, out);
}
