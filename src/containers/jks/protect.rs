//! How Sun's providers close keys, and the digest of a store.

use crate::formats::wire::der::{self, Element};
use crate::formats::wire::java;
use crate::formats::wire::oid::oid;
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Effort};
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use md5::Md5;
use sha1::Sha1;
use sha2::Digest as _;
use zeroize::Zeroizing;

/// `sun.security.provider.KeyProtector`: a key stream of SHA-1.
const KEY_STREAM: &[u8] = oid!(1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1);
/// `com.sun.crypto.provider.KeyProtector`: PBEWithMD5AndTripleDES.
const TRIPLE_DES: &[u8] = oid!(1, 3, 6, 1, 4, 1, 42, 2, 19, 1);
/// What JCEKS calls that scheme in a sealed object.
const TRIPLE_DES_NAME: &str = "PBEWithMD5AndTripleDES";

/// Length of the salt of the key stream, and of SHA-1.
const SALT: usize = 20;

/// A closed key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealed<'a> {
    scheme: Scheme<'a>,
    /// What is encrypted.
    pub(super) data: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
enum Scheme<'a> {
    KeyStream,
    TripleDes { salt: &'a [u8], iterations: u64 },
    Unknown,
}

impl<'a> Sealed<'a> {
    /// A private key: EncryptedPrivateKeyInfo (RFC 5958, section 3). Nothing if it is none.
    pub(super) fn private(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Element::read_all(bytes).ok()?.enter(der::SEQUENCE).ok()?;
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
        let data = fields.expect(der::OCTET_STRING).ok()?.content;
        fields.finish().ok()?;
        let scheme = match algorithm.oid {
            KEY_STREAM => Scheme::KeyStream,
            TRIPLE_DES => algorithm
                .parameters
                .and_then(|p| Scheme::triple_des(&p))
                .unwrap_or(Scheme::Unknown),
            _ => Scheme::Unknown,
        };
        // A digest of nothing would make one key of all empty ones.
        (!data.is_empty()).then_some(Self { scheme, data })
    }

    /// A secret key: the fields of a `javax.crypto.SealedObject`.
    pub(super) fn secret(name: &[u8], parameters: &'a [u8], data: &'a [u8]) -> Option<Self> {
        let scheme = Element::read_all(parameters)
            .ok()
            .filter(|_| name.eq_ignore_ascii_case(TRIPLE_DES_NAME.as_bytes()))
            .and_then(|p| Scheme::triple_des(&p))
            .unwrap_or(Scheme::Unknown);
        (!data.is_empty()).then_some(Self { scheme, data })
    }

    /// The scheme in words.
    pub(super) fn cipher(&self) -> Option<String> {
        match self.scheme {
            Scheme::KeyStream => Some("JKS key stream, SHA-1".to_owned()),
            Scheme::TripleDes { iterations, .. } => {
                Some(format!("{TRIPLE_DES_NAME}, {iterations} iterations"))
            }
            Scheme::Unknown => None,
        }
    }

    /// What is inside; nothing if the password is another one.
    pub(super) fn open(
        &self,
        password: &[u8],
        effort: &Effort,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        match self.scheme {
            Scheme::KeyStream => key_stream(self.data, password, effort),
            Scheme::TripleDes { salt, iterations } => {
                triple_des(self.data, salt, iterations, password, effort)
            }
            Scheme::Unknown => Err(Closed::Unsupported(
                "its encryption is not known".to_owned(),
            )),
        }
    }
}

impl<'a> Scheme<'a> {
    /// PBEParameter (RFC 8018, appendix A.3).
    fn triple_des(parameters: &Element<'a>) -> Option<Self> {
        let mut fields = parameters.enter(der::SEQUENCE).ok()?;
        let salt = fields.expect(der::OCTET_STRING).ok()?.content;
        let iterations = fields.expect(der::INTEGER).ok()?.small().ok()?;
        Some(Self::TripleDes { salt, iterations })
    }
}

/// Whether the password makes this digest of a store's content.
pub(super) fn is_digest(
    digest: &[u8],
    content: &[u8],
    password: &[u8],
    effort: &Effort,
) -> Result<bool, Closed> {
    spend(effort, content.len() as u64 / 128 + 1, "the store's digest")?;
    let Some(password) = java::utf16(password, 0) else {
        return Ok(false);
    };
    let mut hash = Sha1::new();
    hash.update(password.as_slice());
    hash.update(b"Mighty Aphrodite");
    hash.update(content);
    Ok(hash.finalize().as_slice() == digest)
}

fn spend(effort: &Effort, units: u64, what: &str) -> Result<(), Closed> {
    if effort.spend(units) {
        return Ok(());
    }
    Err(Closed::Limit(format!(
        "{what}: as much work as {units} iterations of PBKDF2, more than is left for this file"
    )))
}

/// Salt, the key under a stream of digests, a digest of password and key.
fn key_stream(
    data: &[u8],
    password: &[u8],
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    let Some(password) = java::utf16(password, 0) else {
        return Ok(None);
    };
    let Some((salt, rest)) = data.split_at_checked(SALT) else {
        return Ok(None);
    };
    let Some((closed, check)) = rest
        .len()
        .checked_sub(SALT)
        .and_then(|n| rest.split_at_checked(n))
    else {
        return Ok(None);
    };
    let mut open = Zeroizing::new(Vec::with_capacity(closed.len()));
    let mut block: [u8; SALT] = salt.try_into().unwrap_or_default();
    for (number, piece) in closed.chunks(SALT).enumerate() {
        spend(effort, 1, "a private key")?;
        let mut hash = Sha1::new();
        hash.update(password.as_slice());
        hash.update(block);
        block = hash.finalize().into();
        open.extend(piece.iter().zip(block).map(|(a, b)| a ^ b));
        // What opens is DER: a wrong password is seen in the first byte, and proven by the check at the end.
        if number == 0 && open.first() != Some(&der::SEQUENCE) {
            return Ok(None);
        }
    }
    let mut hash = Sha1::new();
    hash.update(password.as_slice());
    hash.update(open.as_slice());
    Ok((hash.finalize().as_slice() == check).then_some(open))
}

/// PBEWithMD5AndTripleDES (`com.sun.crypto.provider.PBES1Core`): MD5 over each half of the salt, as many times as it
/// says, makes the key and the first block.
fn triple_des(
    data: &[u8],
    salt: &[u8],
    iterations: u64,
    password: &[u8],
    effort: &Effort,
) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
    // The provider takes printable ASCII alone.
    if !password.iter().all(|b| (b' '..=b'~').contains(b)) {
        return Ok(None);
    }
    let Ok(mut salt) = <[u8; 8]>::try_from(salt) else {
        return Err(Closed::Unsupported(
            "its salt does not have eight bytes".to_owned(),
        ));
    };
    let blocks = (16 + password.len() as u64 + 9).div_ceil(64);
    spend(
        effort,
        iterations.saturating_mul(blocks).saturating_add(1),
        "a key derivation of many iterations",
    )?;
    let [a, b, c, d, rest @ ..] = salt;
    if [a, b, c, d] == rest {
        // As the provider inverts the first half, with the slip that it has kept.
        let [e, f, g, h] = rest;
        salt = [d, a, b, d, e, f, g, h];
    }
    let mut derived = Zeroizing::new([0u8; 32]);
    for (half, out) in salt.chunks(4).zip(derived.chunks_mut(16)) {
        let mut digest = Zeroizing::new([0u8; 16]);
        for number in 0..iterations {
            let mut hash = Md5::new();
            hash.update(if number == 0 { half } else { digest.as_slice() });
            hash.update(password);
            *digest = hash.finalize().into();
        }
        out.copy_from_slice(digest.as_slice());
    }
    let (key, first) = derived.split_at(24);
    let Ok(cipher) = cbc::Decryptor::<des::TdesEde3>::new_from_slices(key, first) else {
        return Ok(None);
    };
    let mut open = Zeroizing::new(data.to_vec());
    let Ok(length) = cipher.decrypt_padded::<Pkcs7>(&mut open).map(<[u8]>::len) else {
        return Ok(None);
    };
    open.truncate(length);
    Ok(Some(open))
}
