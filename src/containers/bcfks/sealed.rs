//! What a password opens or proves: PBES2 with AES-256 in a mode that authenticates, and a MAC. The password is UTF-16 as in
//! PKCS#12, and what the derived key is for stands behind it.

use super::layout::Encrypted;
use crate::formats::wire::aes_modes;
use crate::formats::wire::der;
use crate::formats::wire::java;
use crate::formats::wire::oid::{self, oid};
use crate::formats::wire::pbe::{self, Derivation, Hash};
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Effort};
use zeroize::Zeroizing;

const AES_256_CCM: &[u8] = oid!(2, 16, 840, 1, 101, 3, 4, 1, 47);
const AES_256_WRAP_PAD: &[u8] = oid!(2, 16, 840, 1, 101, 3, 4, 1, 48);
/// Octets of the tag where the parameters do not tell it (RFC 5084, section 3.1).
const CCM_TAG: usize = 12;
/// The longest key of a MAC that is derived; the provider takes 64 octets.
const MAC_KEY_MAX: u64 = 256;

/// What a key is derived for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Store,
    PrivateKey,
    SecretKey,
    Integrity,
}

impl Purpose {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::Store => b"STORE_ENCRYPTION",
            Self::PrivateKey => b"PRIVATE_KEY_ENCRYPTION",
            Self::SecretKey => b"SECRET_KEY_ENCRYPTION",
            Self::Integrity => b"INTEGRITY_CHECK",
        }
    }
}

enum Mode<'a> {
    Ccm { nonce: &'a [u8], tag: usize },
    KeyWrap,
}

/// A ciphertext and how it is closed.
pub(super) struct Sealed<'a> {
    derivation: Derivation<'a>,
    mode: Mode<'a>,
    data: &'a [u8],
}

impl<'a> Sealed<'a> {
    pub(super) fn read(encrypted: &Encrypted<'a>) -> Result<Self, Closed> {
        let unreadable = || Closed::Unsupported("PBES2 whose parameters cannot be read".to_owned());
        let algorithm = &encrypted.algorithm;
        if algorithm.oid != oid::PBES2 {
            return Err(Closed::Unsupported(name(algorithm)));
        }
        let parameters = algorithm.parameters.as_ref().ok_or_else(unreadable)?;
        let (derivation, cipher) = pbe::two_algorithms(parameters).ok_or_else(unreadable)?;
        let mode = match cipher.oid {
            AES_256_CCM => ccm(&cipher).ok_or_else(|| {
                Closed::Unsupported("aes-256-ccm whose parameters cannot be read".to_owned())
            })?,
            AES_256_WRAP_PAD => Mode::KeyWrap,
            _ => return Err(Closed::Unsupported(name(&cipher))),
        };
        Ok(Self {
            derivation: Derivation::read(&derivation)?,
            mode,
            data: encrypted.data,
        })
    }

    /// The derivation and its cost in words.
    pub(super) fn describe_derivation(&self) -> String {
        self.derivation.describe()
    }

    /// What a password makes of it; nothing if it is another one.
    pub(super) fn open(
        &self,
        purpose: Purpose,
        password: &[u8],
        effort: &Effort,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        if self
            .derivation
            .key_length()
            .is_some_and(|told| u64::try_from(aes_modes::KEY) != Ok(told))
        {
            return Err(Closed::Unsupported(
                "a key that AES-256 cannot have".to_owned(),
            ));
        }
        for derivation in meant(self.derivation) {
            let key = derive(&derivation, purpose, password, aes_modes::KEY, effort)?;
            let Some(key) = key else {
                return Ok(None);
            };
            // CCM goes over the data twice, a key wrap six times, block by block or half block by half block.
            let units = self.data.len()
                / match self.mode {
                    Mode::Ccm { .. } => 64,
                    Mode::KeyWrap => 16,
                };
            pbe::charge(effort, u64::try_from(units).unwrap_or(u64::MAX), || {
                format!("{} bytes of ciphertext", self.data.len())
            })?;
            let open = match self.mode {
                Mode::Ccm { nonce, tag } => aes_modes::open_ccm(&key, nonce, tag, self.data),
                Mode::KeyWrap => aes_modes::unwrap_padded(&key, self.data),
            };
            if open.is_some() {
                return Ok(open);
            }
        }
        Ok(None)
    }
}

/// CCMParameters ::= SEQUENCE { aes-nonce OCTET STRING, aes-ICVlen INTEGER DEFAULT 12 } (RFC 5084, section 3.1)
fn ccm<'a>(algorithm: &Algorithm<'a>) -> Option<Mode<'a>> {
    let mut fields = algorithm.parameters?.enter(der::SEQUENCE).ok()?;
    let nonce = fields.expect(der::OCTET_STRING).ok()?.content;
    let tag = match fields.optional(der::INTEGER).ok()? {
        Some(length) => usize::try_from(length.small().ok()?).ok()?,
        None => CCM_TAG,
    };
    fields.finish().ok()?;
    let is_one = matches!(nonce.len(), 7..=13) && matches!(tag, 4..=16) && tag % 2 == 0;
    is_one.then_some(Mode::Ccm { nonce, tag })
}

fn name(algorithm: &Algorithm<'_>) -> String {
    oid::named(oid::encryption(algorithm.oid), algorithm.oid).into_owned()
}

/// The derivations that these parameters may mean: both of Bouncy Castle's providers take scrypt's block size for its
/// parallelism too.
fn meant(derivation: Derivation<'_>) -> impl Iterator<Item = Derivation<'_>> {
    let written = match derivation {
        Derivation::Scrypt {
            salt,
            n,
            r,
            p,
            key_length,
        } if r != p => Some(Derivation::Scrypt {
            salt,
            n,
            r,
            p: r,
            key_length,
        }),
        _ => None,
    };
    written.into_iter().chain([derivation])
}

/// A key for a purpose; nothing if the password is no text, which no password of Java's is.
fn derive(
    derivation: &Derivation<'_>,
    purpose: Purpose,
    password: &[u8],
    length: usize,
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    let Some(text) = utf16(password) else {
        return Ok(None);
    };
    let purpose = utf16(purpose.text()).unwrap_or_default();
    let mut secret = Zeroizing::new(Vec::with_capacity(text.len() + purpose.len()));
    secret.extend_from_slice(&text);
    secret.extend_from_slice(&purpose);
    derivation.derive(&secret, length, effort).map(Some)
}

/// UTF-16 with two zero octets behind it; the empty text is nothing at all.
fn utf16(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    java::utf16(text, if text.is_empty() { 0 } else { 2 })
}

/// The MAC of a store.
pub(super) struct Mac<'a> {
    hash: Hash,
    derivation: Derivation<'a>,
    length: usize,
    mac: &'a [u8],
}

impl<'a> Mac<'a> {
    pub(super) fn read(
        algorithm: &Algorithm<'a>,
        derivation: &Algorithm<'a>,
        mac: &'a [u8],
    ) -> Result<Self, Closed> {
        let hash =
            Hash::by_hmac(algorithm.oid).ok_or_else(|| Closed::Unsupported(name(algorithm)))?;
        let derivation = Derivation::read(derivation)?;
        // There is no length that goes without saying.
        let length = derivation
            .key_length()
            .filter(|length| (1..=MAC_KEY_MAX).contains(length))
            .and_then(|length| usize::try_from(length).ok())
            .ok_or_else(|| Closed::Unsupported("a MAC of no key length".to_owned()))?;
        Ok(Self {
            hash,
            derivation,
            length,
            mac,
        })
    }

    /// Algorithm and derivation in words.
    pub(super) fn describe(&self) -> String {
        let (hash, derivation) = (self.hash.hmac_name(), self.derivation.describe());
        format!("{hash}, {derivation}")
    }

    /// Whether a password makes this MAC of a store's contents.
    pub(super) fn verifies(
        &self,
        content: &[u8],
        password: &[u8],
        effort: &Effort,
    ) -> Result<bool, Closed> {
        for derivation in meant(self.derivation) {
            let purpose = Purpose::Integrity;
            let Some(key) = derive(&derivation, purpose, password, self.length, effort)? else {
                break;
            };
            let units = u64::try_from(content.len() / 128).unwrap_or(u64::MAX);
            pbe::charge(effort, units, || {
                format!("a MAC of {} bytes", content.len())
            })?;
            if self.hash.hmac(&key, &[content]).as_slice() == self.mac {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
