//! PBES1 with PBKDF1 (RFC 8018, sections 5.1 and 6.1).

use super::{Cipher, Hash, charge, decrypt, salt_and_iterations};
use crate::formats::wire::oid::oid;
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Effort};
use zeroize::Zeroizing;

const RC2: Cipher = Cipher::Rc2 {
    length: 8,
    bits: 64,
};

/// Identifier, hash and cipher. MD2 is not served: nothing writes it any more.
static SCHEMES: &[(&[u8], Hash, Cipher)] = &[
    (oid!(1, 2, 840, 113549, 1, 5, 3), Hash::Md5, Cipher::Des),
    (oid!(1, 2, 840, 113549, 1, 5, 6), Hash::Md5, RC2),
    (oid!(1, 2, 840, 113549, 1, 5, 10), Hash::Sha1, Cipher::Des),
    (oid!(1, 2, 840, 113549, 1, 5, 11), Hash::Sha1, RC2),
];

pub(super) struct Pbes1<'a> {
    hash: Hash,
    cipher: Cipher,
    salt: &'a [u8],
    iterations: u64,
}

impl<'a> Pbes1<'a> {
    /// Nothing if it is another scheme.
    pub(super) fn read(algorithm: &Algorithm<'a>) -> Result<Option<Self>, Closed> {
        let scheme = SCHEMES.iter().find(|(id, _, _)| *id == algorithm.oid);
        let Some((_, hash, cipher)) = scheme else {
            return Ok(None);
        };
        let (salt, iterations) = salt_and_iterations(algorithm)?;
        Ok(Some(Self {
            hash: *hash,
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
        charge(effort, self.iterations, || {
            format!("PBKDF1 of {} iterations", self.iterations)
        })?;
        let derived = self.hash.iterated(&[password, self.salt], self.iterations);
        // Eight octets of key, then eight of initialisation vector.
        let (Some(key), Some(iv)) = (derived.get(..8), derived.get(8..16)) else {
            return Ok(None);
        };
        decrypt(self.cipher, key, iv, data, effort)
    }
}
