//! What a password opens or proves. All keys come from PKCS#12's derivation with SHA-1 (RFC 7292, appendix B).

use super::layout::{DIGEST, Encoded, Header};
use crate::formats::wire::java::Input;
use crate::formats::wire::pbe::pkcs12::{self, Purpose};
use crate::formats::wire::pbe::{Cipher, Hash};
use crate::model::{Closed, Effort};
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use sha1::Sha1;
use sha2::Digest as _;
use zeroize::Zeroizing;

/// Salt, iterations and ciphertext of a sealed key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealed<'a> {
    salt: &'a [u8],
    pub(super) iterations: u32,
    pub(super) data: &'a [u8],
}

impl<'a> Sealed<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Input::new(bytes, 0);
        let salt = input.counted().ok()?;
        let iterations = input.u32().ok()?;
        let data = input.rest();
        (!data.is_empty() && iterations > 0).then_some(Self {
            salt,
            iterations,
            data,
        })
    }

    /// The encoded key inside (PBEWithSHAAnd3-KeyTripleDES-CBC); nothing if the password is another one.
    pub(super) fn open(
        &self,
        password: &[u8],
        effort: &Effort,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        let cipher = Cipher::TripleDes3;
        for form in pkcs12::forms(password) {
            let derived = |purpose, length| {
                let iterations = u64::from(self.iterations);
                pkcs12::derive(
                    Hash::Sha1,
                    purpose,
                    &form,
                    self.salt,
                    iterations,
                    length,
                    effort,
                )
            };
            let key = derived(Purpose::Key, cipher.key_length())?;
            let iv = derived(Purpose::Vector, cipher.block_length())?;
            let Some(open) = cipher.decrypt(&key, &iv, self.data) else {
                continue;
            };
            // Padding alone proves little; the whole key must be there, and nothing else.
            let mut input = Input::new(&open, 0);
            if Encoded::read(&mut input).is_ok() && input.rest().is_empty() {
                return Ok(Some(open));
            }
        }
        Ok(None)
    }
}

/// Whether a password makes this HMAC of a store's content.
pub(super) fn is_mac(
    header: &Header<'_>,
    content: &[u8],
    mac: &[u8],
    password: &[u8],
    effort: &Effort,
) -> Result<Option<()>, Closed> {
    // Version 1 took the number of bytes for one of bits.
    let length = if header.version == 1 { 2 } else { DIGEST };
    let iterations = u64::from(header.iterations);
    for form in pkcs12::forms(password) {
        let key = pkcs12::derive(
            Hash::Sha1,
            Purpose::Mac,
            &form,
            header.salt,
            iterations,
            length,
            effort,
        )?;
        spend(effort, content.len() / 128)?;
        if Hash::Sha1.hmac(&key, &[content]).as_slice() == mac {
            return Ok(Some(()));
        }
    }
    Ok(None)
}

/// The entries inside an UBER with their digest (PBEWithSHAAndTwofish-CBC); nothing if the password is another one.
pub(super) fn open_store(
    header: &Header<'_>,
    data: &[u8],
    password: &[u8],
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    for form in pkcs12::forms(password) {
        let derived = |purpose, length| {
            let iterations = u64::from(header.iterations);
            pkcs12::derive(
                Hash::Sha1,
                purpose,
                &form,
                header.salt,
                iterations,
                length,
                effort,
            )
        };
        let key = derived(Purpose::Key, 32)?;
        let iv = derived(Purpose::Vector, 16)?;
        spend(effort, data.len() / 32)?;
        let Ok(cipher) = cbc::Decryptor::<twofish::Twofish>::new_from_slices(&key, &iv) else {
            continue;
        };
        let mut open = Zeroizing::new(data.to_vec());
        let Ok(length) = cipher.decrypt_padded::<Pkcs7>(&mut open).map(<[u8]>::len) else {
            continue;
        };
        open.truncate(length);
        let split = open.len().checked_sub(DIGEST);
        let parts = split.and_then(|split| open.split_at_checked(split));
        if parts.is_some_and(|(content, digest)| Sha1::digest(content).as_slice() == digest) {
            return Ok(Some(open));
        }
    }
    Ok(None)
}

fn spend(effort: &Effort, units: usize) -> Result<(), Closed> {
    let units = u64::try_from(units).unwrap_or(u64::MAX);
    if effort.spend(units) {
        return Ok(());
    }
    Err(Closed::Limit(format!(
        "as much work as {units} iterations of PBKDF2, more than is left for this file"
    )))
}
