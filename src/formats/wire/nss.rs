//! How NSS closes values: AlgorithmIdentifier and OCTET STRING, under a password that is hashed with the database's own
//! salt first (NSS, `softoken/sftkpwd.c` and `lowpbe.c` as documentation).

use super::der::{self, Element};
use super::oid;
use super::pbe::{self, Cipher, Hash};
use super::spki::Algorithm;
use crate::model::{Closed, Effort};
use zeroize::Zeroizing;

/// pbeWithSha1AndTripleDES-CBC, NSS's own derivation under this identifier.
const PBE_SHA1_3DES: &[u8] = oid::oid!(1, 2, 840, 113549, 1, 12, 5, 1, 3);

/// The hashed password from which keys are derived.
pub fn hashed(salt: &[u8], password: &[u8]) -> Zeroizing<Vec<u8>> {
    Hash::Sha1.digest(&[salt, password])
}

/// A closed value.
#[derive(Debug)]
pub struct Closing<'a> {
    algorithm: Algorithm<'a>,
    /// The ciphertext; never empty.
    pub data: &'a [u8],
}

impl<'a> Closing<'a> {
    /// Takes a value apart.
    pub fn read(value: &'a [u8]) -> Option<Self> {
        let mut fields = Element::read(value).ok()?.0.enter(der::SEQUENCE).ok()?;
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
        let data = fields.expect(der::OCTET_STRING).ok()?.content;
        (!data.is_empty()).then_some(Self { algorithm, data })
    }

    /// The scheme in words.
    pub fn describe(&self) -> String {
        match self.algorithm.oid {
            PBE_SHA1_3DES => "NSS pbeWithSha1AndTripleDES-CBC".to_owned(),
            _ => pbe::describe(&self.algorithm),
        }
    }

    /// Opens it with a hashed password; nothing if that is wrong.
    pub fn open(
        &self,
        hashed: &[u8],
        effort: &Effort,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        if self.algorithm.oid != PBE_SHA1_3DES {
            return pbe::open_exactly(&self.algorithm, self.data, hashed, effort);
        }
        let salt = self
            .algorithm
            .parameters
            .as_ref()
            .and_then(|parameters| parameters.enter(der::SEQUENCE).ok())
            .and_then(|mut fields| Some(fields.expect(der::OCTET_STRING).ok()?.content))
            .ok_or_else(|| Closed::Unsupported("a salt that cannot be read".to_owned()))?;
        let stream = derive(hashed, salt);
        let iv = stream.get(stream.len().saturating_sub(8)..);
        let (key, iv) = (stream.get(..24).unwrap_or_default(), iv.unwrap_or_default());
        Ok(Cipher::TripleDes3.decrypt(key, iv, self.data))
    }
}

/// NSS's older derivation: 40 octets, of which the first 24 are the key and the last 8 the initialisation vector.
fn derive(hashed: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut padded = salt.to_vec();
    padded.resize(20.max(salt.len()), 0);
    let chained = Hash::Sha1.digest(&[hashed, salt]);
    let first = Hash::Sha1.hmac(&chained, &[&padded, salt]);
    let middle = Hash::Sha1.hmac(&chained, &[&padded]);
    let second = Hash::Sha1.hmac(&chained, &[&middle, salt]);
    Zeroizing::new([first.as_slice(), &second].concat())
}
