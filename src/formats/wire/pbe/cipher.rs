//! The ciphers: CBC with the padding of RFC 8018, section 6.1.1, and RC4.

use super::unsupported;
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid::{self, oid};
use crate::formats::wire::spki::Algorithm;
use crate::model::Closed;
use cbc::cipher::{
    BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, Key, KeyInit as _,
    block_padding::{NoPadding, Padding, Pkcs7},
};
use rc4::StreamCipher as _;
use zeroize::Zeroizing;

/// A cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128 in CBC mode.
    Aes128,
    /// AES-192 in CBC mode.
    Aes192,
    /// AES-256 in CBC mode.
    Aes256,
    /// DES in CBC mode.
    Des,
    /// Triple DES with two keys, in CBC mode.
    TripleDes2,
    /// Triple DES with three keys, in CBC mode.
    TripleDes3,
    /// RC2 in CBC mode (RFC 2268).
    Rc2 {
        /// Octets of the key, at most 128.
        length: usize,
        /// Effective bits of the key, at most 1024.
        bits: usize,
    },
    /// RC4 with a key of so many octets, at most 256.
    Rc4(usize),
}

const AES_128_CBC: &[u8] = oid!(2, 16, 840, 1, 101, 3, 4, 1, 2);
const AES_192_CBC: &[u8] = oid!(2, 16, 840, 1, 101, 3, 4, 1, 22);
const AES_256_CBC: &[u8] = oid!(2, 16, 840, 1, 101, 3, 4, 1, 42);
const DES_EDE3_CBC: &[u8] = oid!(1, 2, 840, 113549, 3, 7);
const RC2_CBC: &[u8] = oid!(1, 2, 840, 113549, 3, 2);
const DES_CBC: &[u8] = oid!(1, 3, 14, 3, 2, 7);

impl Cipher {
    /// The cipher and initialisation vector of an encryption scheme (RFC 8018, appendix B.2).
    pub fn read<'a>(algorithm: &Algorithm<'a>) -> Result<(Self, &'a [u8]), Closed> {
        let cipher = match algorithm.oid {
            AES_128_CBC => Self::Aes128,
            AES_192_CBC => Self::Aes192,
            AES_256_CBC => Self::Aes256,
            DES_EDE3_CBC => Self::TripleDes3,
            DES_CBC => Self::Des,
            RC2_CBC => {
                return algorithm
                    .parameters
                    .as_ref()
                    .and_then(rc2)
                    .ok_or_else(|| unsupported("rc2-cbc whose parameters cannot be read"));
            }
            other => return Err(unsupported(&oid::named(oid::encryption(other), other))),
        };
        let vector = algorithm
            .parameters
            .filter(|p| p.tag == der::OCTET_STRING)
            .ok_or_else(|| unsupported("a cipher without initialisation vector"))?;
        // NSS keeps 14 octets and takes them, with their DER header, for the 16 of AES.
        let iv = if vector.raw.len() == cipher.block_length() {
            vector.raw
        } else {
            vector.content
        };
        Ok((cipher, iv))
    }

    /// The cipher by the name that OpenSSL's older PEM encryption gives it (`DEK-Info`).
    pub fn by_pem_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "AES-128-CBC" => Self::Aes128,
            "AES-192-CBC" => Self::Aes192,
            "AES-256-CBC" => Self::Aes256,
            "DES-CBC" => Self::Des,
            "DES-EDE-CBC" => Self::TripleDes2,
            "DES-EDE3-CBC" => Self::TripleDes3,
            "RC2-CBC" => Self::Rc2 {
                length: 16,
                bits: 128,
            },
            "RC2-64-CBC" => Self::Rc2 {
                length: 8,
                bits: 64,
            },
            "RC2-40-CBC" => Self::Rc2 {
                length: 5,
                bits: 40,
            },
            _ => return None,
        })
    }

    /// The same with the key length that a derivation tells, where the cipher has several.
    pub(super) fn with_length(self, told: Option<u64>) -> Self {
        match (self, told.and_then(|told| usize::try_from(told).ok())) {
            (Self::Rc2 { bits, .. }, Some(length @ 1..=128)) => Self::Rc2 { length, bits },
            _ => self,
        }
    }

    /// Octets of the key.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128 | Self::TripleDes2 => 16,
            Self::Aes192 | Self::TripleDes3 => 24,
            Self::Aes256 => 32,
            Self::Des => 8,
            Self::Rc2 { length, .. } | Self::Rc4(length) => length,
        }
    }

    /// Octets of a block, and of the initialisation vector; none for a stream.
    pub const fn block_length(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::Des | Self::TripleDes2 | Self::TripleDes3 | Self::Rc2 { .. } => 8,
            Self::Rc4(_) => 0,
        }
    }

    /// Decrypts and takes the padding off; nothing if that or a length is wrong.
    pub fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.decrypt_with::<Pkcs7>(key, iv, data)
    }

    /// Whether the padding is right, which the last block tells alone; a stream has none.
    pub fn has_right_padding(self, key: &[u8], iv: &[u8], data: &[u8]) -> bool {
        let block = self.block_length();
        if block == 0 {
            return true;
        }
        let Some((before, last)) = data
            .len()
            .checked_sub(block)
            .and_then(|at| data.split_at_checked(at))
        else {
            return false;
        };
        let vector = match before.len().checked_sub(block) {
            Some(at) => before.get(at..).unwrap_or_default(),
            None => iv,
        };
        self.decrypt(key, vector, last).is_some()
    }

    /// Decrypts whole blocks, padding and all.
    pub fn decrypt_unpadded(
        self,
        key: &[u8],
        iv: &[u8],
        data: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.decrypt_with::<NoPadding>(key, iv, data)
    }

    fn decrypt_with<P: Padding>(
        self,
        key: &[u8],
        iv: &[u8],
        data: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128 => keyed::<aes::Aes128, P>(key, iv, data),
            Self::Aes192 => keyed::<aes::Aes192, P>(key, iv, data),
            Self::Aes256 => keyed::<aes::Aes256, P>(key, iv, data),
            Self::Des => keyed::<des::Des, P>(key, iv, data),
            Self::TripleDes2 => keyed::<des::TdesEde2, P>(key, iv, data),
            Self::TripleDes3 => keyed::<des::TdesEde3, P>(key, iv, data),
            Self::Rc2 { length, bits } => {
                let fits = key.len() == length && matches!((length, bits), (1..=128, 1..=1024));
                fits.then_some(())?;
                cbc::<rc2::Rc2, P>(rc2::Rc2::new_with_eff_key_len(key, bits), iv, data)
            }
            Self::Rc4(_) => {
                let mut stream = rc4::Rc4::new_from_slice(key).ok()?;
                let mut buffer = Zeroizing::new(data.to_vec());
                stream.try_apply_keystream(&mut buffer).ok()?;
                Some(buffer)
            }
        }
    }
}

fn keyed<C: BlockCipherDecrypt + cbc::cipher::KeyInit, P: Padding>(
    key: &[u8],
    iv: &[u8],
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let key: &Key<C> = key.try_into().ok()?;
    cbc::<C, P>(C::new(key), iv, data)
}

fn cbc<C: BlockCipherDecrypt, P: Padding>(
    cipher: C,
    iv: &[u8],
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mode = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    let mut buffer = Zeroizing::new(data.to_vec());
    let length = mode.decrypt_padded::<P>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// Version and initialisation vector of RC2 (RFC 8018, appendix B.2.3); the version encodes the effective bits.
fn rc2<'a>(parameters: &Element<'a>) -> Option<(Cipher, &'a [u8])> {
    let mut fields = match parameters.tag {
        // Without version the vector stands alone, and 32 bits are meant.
        der::OCTET_STRING => {
            return Some((
                Cipher::Rc2 {
                    length: 4,
                    bits: 32,
                },
                parameters.content,
            ));
        }
        _ => parameters.enter(der::SEQUENCE).ok()?,
    };
    let bits = match fields.optional(der::INTEGER).ok()? {
        None => 32,
        Some(version) => match version.small().ok()? {
            160 => 40,
            120 => 64,
            58 => 128,
            bits @ 256..=1024 => usize::try_from(bits).ok()?,
            _ => return None,
        },
    };
    let iv = fields.expect(der::OCTET_STRING).ok()?.content;
    let length = bits.div_ceil(8);
    Some((Cipher::Rc2 { length, bits }, iv))
}
