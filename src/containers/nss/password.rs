//! The password of a key database, and what it opens.

use crate::formats::wire::der::{self, Element};
use crate::formats::wire::pbe::{self, Cipher, Hash};
use crate::formats::wire::spki::Algorithm;
use crate::formats::wire::{oid, sqlite};
use crate::model::{Closed, Effort, Opened, Secret, Unlock};
use zeroize::Zeroizing;

/// What a right password makes of the check.
const CHECK: &[u8] = b"password-check";
/// pbeWithSha1AndTripleDES-CBC, NSS's own derivation under this identifier.
const PBE_SHA1_3DES: &[u8] = oid::oid!(1, 2, 840, 113549, 1, 12, 5, 1, 3);

/// The row of the table `metaData` by which a password is checked.
pub(super) struct Gate {
    salt: Vec<u8>,
    check: Vec<u8>,
}

impl Gate {
    /// Reads it; a certificate database has none.
    pub(super) fn read(database: &&[u8]) -> Option<Self> {
        let mut gate = None;
        sqlite::rows(database, b"metaData", &mut |row| {
            if let [b"password", salt, check, ..] = row {
                gate = Some(Self {
                    salt: salt.to_vec(),
                    check: check.to_vec(),
                });
            }
        })?;
        gate
    }

    /// The scheme of the check in words.
    pub(super) fn cipher(&self) -> String {
        Closing::read(&self.check).map_or_else(String::new, |closing| closing.describe())
    }

    /// The hashed password that opens the values, and by what it was found.
    pub(super) fn open(&self, unlock: Unlock<'_>) -> Result<(Secret, Opened), Closed> {
        let unreadable = || Closed::Unsupported("a password check that cannot be read".to_owned());
        let check = Closing::read(&self.check).ok_or_else(unreadable)?;
        unlock.first(|password, effort| {
            let hashed = Hash::Sha1.digest(&[&self.salt, password]);
            let clear = check.open(&hashed, effort)?;
            let right = clear.is_some_and(|clear| clear.as_slice() == CHECK);
            Ok(right.then(|| Secret::copy_of(&hashed)))
        })
    }
}

/// An encrypted value: AlgorithmIdentifier and OCTET STRING.
pub(super) struct Closing<'a> {
    algorithm: Algorithm<'a>,
    /// The ciphertext.
    pub(super) data: &'a [u8],
}

impl<'a> Closing<'a> {
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let mut fields = Element::read_all(value).ok()?.enter(der::SEQUENCE).ok()?;
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
        let data = fields.expect(der::OCTET_STRING).ok()?.content;
        Some(Self { algorithm, data })
    }

    pub(super) fn describe(&self) -> String {
        pbe::describe(&self.algorithm)
    }

    /// Opens it with a hashed password.
    pub(super) fn open(
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
        let (key, iv) = derive(hashed, salt);
        Ok(Cipher::TripleDes3.decrypt(&key, &iv, self.data))
    }
}

/// NSS's older derivation: 24 octets of key and 8 of initialisation vector from a hashed password and a salt.
pub(super) fn derive(hashed: &[u8], salt: &[u8]) -> (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>) {
    let mut padded = salt.to_vec();
    padded.resize(20.max(salt.len()), 0);
    let chained = Hash::Sha1.digest(&[hashed, salt]);
    let first = Hash::Sha1.hmac(&chained, &[&padded, salt]);
    let middle = Hash::Sha1.hmac(&chained, &[&padded]);
    let second = Hash::Sha1.hmac(&chained, &[&middle, salt]);
    let stream = Zeroizing::new([first.as_slice(), &second].concat());
    let part =
        |from: usize, to: usize| Zeroizing::new(stream.get(from..to).unwrap_or_default().to_vec());
    (
        part(0, 24),
        part(stream.len().saturating_sub(8), stream.len()),
    )
}
