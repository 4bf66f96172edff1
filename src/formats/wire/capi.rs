//! Key blobs of Microsoft's CryptoAPI: PUBLICKEYBLOB and PRIVATEKEYBLOB ("RSA/Schannel Key BLOBs", "DSS Provider Key
//! BLOBs"). All numbers are little-endian.

use super::der;
use super::private::is_product;
use super::spki::RsaPublic;
use crate::model::{KeyMaterial, PrivateNumbers, Secret};
use zeroize::Zeroizing;

/// How long a BLOBHEADER is (PUBLICKEYSTRUC): type, version, two reserved bytes, algorithm.
pub const HEADER: usize = 8;
/// PUBLICKEYBLOB.
const PUBLIC: u8 = 6;
/// PRIVATEKEYBLOB.
const PRIVATE: u8 = 7;
/// CUR_BLOB_VERSION.
const VERSION: u8 = 2;

/// CALG_RSA_KEYX, CALG_RSA_SIGN.
const RSA: [u32; 2] = [0xa400, 0x2400];
/// CALG_DSS_SIGN.
const DSS: u32 = 0x2200;

/// The largest modulus that is believed, in bits.
const BITS_MAX: u32 = 65_536;
/// Octets of a DSS subgroup's order and of its private value.
const DSS_ORDER: usize = 20;
/// DSSSEED: a counter and a seed.
const DSS_SEED: usize = 24;

/// What a BLOBHEADER says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// A PRIVATEKEYBLOB.
    pub is_private: bool,
    /// DSS, and not RSA.
    pub is_dss: bool,
}

impl Header {
    /// Reads a header of a key that is known here.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [kind, version, 0, 0, algorithm @ ..] = bytes.first_chunk::<HEADER>()? else {
            return None;
        };
        let algorithm = u32::from_le_bytes(*algorithm);
        let is_private = match *kind {
            PUBLIC => false,
            PRIVATE => true,
            _ => return None,
        };
        let known = *version == VERSION && (algorithm == DSS || RSA.contains(&algorithm));
        known.then_some(Self {
            is_private,
            is_dss: algorithm == DSS,
        })
    }

    /// What stands behind the header of a key of this sort.
    const fn magic(self) -> &'static [u8; 4] {
        match (self.is_dss, self.is_private) {
            (false, false) => b"RSA1",
            (false, true) => b"RSA2",
            (true, false) => b"DSS1",
            (true, true) => b"DSS2",
        }
    }

    /// How long a blob of a modulus of so many bits is, its header included.
    fn length(self, bits: u32) -> Option<usize> {
        let octets = usize::try_from(bits / 8).ok()?;
        let half = octets / 2;
        Some(
            HEADER
                + match (self.is_dss, self.is_private) {
                    (false, false) => 12 + octets,
                    (false, true) => 12 + octets * 2 + half * 5,
                    (true, false) => 8 + octets * 3 + DSS_ORDER + DSS_SEED,
                    (true, true) => 8 + octets * 2 + DSS_ORDER * 2 + DSS_SEED,
                },
        )
    }

    /// How many bits the modulus of a key in a blob of this length has.
    pub fn bits(self, length: usize) -> Option<u32> {
        let fixed = self.length(0)?;
        // Any length is that of at most one modulus, as each further octet adds as much.
        let each = self.length(16)?.checked_sub(fixed)?;
        let units = length.checked_sub(fixed)?;
        let bits = u32::try_from(units / each.max(1)).ok()?.checked_mul(16)?;
        (self.length(bits) == Some(length) && bits > 0).then_some(bits)
    }
}

/// A key in a blob.
#[derive(Debug)]
pub struct Blob {
    /// What its header says.
    pub header: Header,
    /// The key.
    pub key: KeyMaterial,
    /// How long the blob is.
    pub length: usize,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// No blob of a key that is known here.
    Other,
    /// One that is longer than what is there.
    Cut,
    /// One whose numbers are no key.
    Bad,
}

/// Reads the blob at the start of `bytes`.
pub fn read(bytes: &[u8]) -> Result<Blob, Stop> {
    let header = Header::read(bytes).ok_or(Stop::Other)?;
    let body = bytes.get(HEADER..).ok_or(Stop::Cut)?;
    let magic = body.first_chunk::<4>().ok_or(Stop::Cut)?;
    if magic != header.magic() {
        return Err(Stop::Other);
    }
    let bits = word(body, 4).ok_or(Stop::Cut)?;
    if !(384..=BITS_MAX).contains(&bits) || bits % 16 != 0 {
        return Err(Stop::Bad);
    }
    let length = header.length(bits).ok_or(Stop::Bad)?;
    let blob = bytes.get(..length).ok_or(Stop::Cut)?;
    let octets = usize::try_from(bits / 8).map_err(|_| Stop::Bad)?;
    let key = if header.is_dss {
        dss(header, blob.get(HEADER + 8..), octets)
    } else {
        rsa(header, blob, octets)
    };
    Ok(Blob {
        header,
        key: key.ok_or(Stop::Bad)?,
        length,
    })
}

fn rsa(header: Header, blob: &[u8], octets: usize) -> Option<KeyMaterial> {
    let exponent = word(blob, HEADER + 8)?.to_be_bytes();
    let e = der::trim_zeros(&exponent);
    let mut rest = blob.get(HEADER + 12..)?;
    let modulus = number(&mut rest, octets)?;
    let n = der::trim_zeros(&modulus);
    if header.is_private {
        let p = number(&mut rest, octets / 2)?;
        let q = number(&mut rest, octets / 2)?;
        if !is_product(n, &p, &q) {
            return None;
        }
    }
    RsaPublic { n, e }
        .is_acceptable(true)
        .then(|| KeyMaterial::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        })
}

fn dss(header: Header, numbers: Option<&[u8]>, octets: usize) -> Option<KeyMaterial> {
    let mut rest = numbers?;
    let mut next = |length| {
        let number = number(&mut rest, length)?;
        let trimmed = der::trim_zeros(&number);
        (!trimmed.is_empty()).then(|| Zeroizing::new(trimmed.to_vec()))
    };
    let (p, q, g) = (next(octets)?, next(DSS_ORDER)?, next(octets)?);
    let (p, q, g) = (p.to_vec(), q.to_vec(), g.to_vec());
    if header.is_private {
        let x = Secret::copy_of(&next(DSS_ORDER)?);
        return Some(KeyMaterial::Private(PrivateNumbers::Dsa { p, q, g, x }));
    }
    let y = next(octets)?.to_vec();
    Some(KeyMaterial::Dsa { p, q, g, y })
}

/// The next number, big-endian.
fn number(rest: &mut &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let (number, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(Zeroizing::new(number.iter().rev().copied().collect()))
}

/// The 32-bit number at a place.
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_tells_the_modulus() {
        for (is_private, is_dss) in [(false, false), (true, false), (false, true), (true, true)] {
            let header = Header { is_private, is_dss };
            for bits in [512, 1024, 2048, 4096] {
                let length = header.length(bits).unwrap();
                assert_eq!(header.bits(length), Some(bits));
                assert_eq!(header.bits(length + 1), None);
            }
            assert_eq!(header.bits(0), None);
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_waited_for() {
        let mut blob = b"\x06\x02\0\0\0\xa4\0\0RSA1".to_vec();
        assert_eq!(read(&blob).unwrap_err(), Stop::Cut);
        blob.extend_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&blob).unwrap_err(), Stop::Bad);
    }
}
