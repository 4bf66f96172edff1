//! Blobs of the Windows data protection interface, by their published descriptions ("Recovering Windows secrets and EFS
//! certificates offline", WOOT 2010; the fields as DPAPIck and impacket name them).

use super::java::Cut;

/// What a blob begins with: version 1, little-endian, and the identifier of the provider
/// `df9d8cd0-1501-11d1-8c7a-00c04fc297eb`.
pub const MAGIC: &[u8] =
    b"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\x00\xc0\x4f\xc2\x97\xeb";

/// What a blob says of itself in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The identifier of the master key that opens it.
    pub master_key: String,
    /// Cipher and hash in words.
    pub cipher: String,
    /// How many bytes it has.
    pub length: usize,
}

impl Blob {
    /// The blob at the start of these bytes; nothing if there is none.
    pub fn read(bytes: &[u8]) -> Option<Result<Self, Cut>> {
        bytes.starts_with(MAGIC).then(|| Self::fields(bytes))
    }

    fn fields(bytes: &[u8]) -> Result<Self, Cut> {
        let mut input = Words::new(bytes, MAGIC.len());
        input.u32()?;
        let master_key = guid(input.take(16)?);
        input.u32()?;
        // Description.
        input.counted()?;
        let cipher = input.u32()?;
        input.u32()?;
        // Salt, and a key of the provider's.
        input.counted()?;
        input.counted()?;
        let hash = input.u32()?;
        input.u32()?;
        // A key of the MAC, the ciphertext, the MAC.
        input.counted()?;
        input.counted()?;
        input.counted()?;
        Ok(Self {
            master_key,
            cipher: format!("DPAPI {}, {}", algorithm(cipher), algorithm(hash)),
            length: input.at(),
        })
    }
}

/// The name of an ALG_ID ([MS-CRTD] and wincrypt.h), else its number.
fn algorithm(id: u32) -> String {
    let known = match id {
        0x6603 => "3DES",
        0x660e => "AES-128",
        0x660f => "AES-192",
        0x6610 => "AES-256",
        0x6801 => "RC4",
        0x8003 => "MD5",
        0x8004 => "SHA-1",
        0x8009 => "HMAC",
        0x800c => "SHA-256",
        0x800d => "SHA-384",
        0x800e => "SHA-512",
        _ => return format!("algorithm {id:#06x}"),
    };
    known.to_owned()
}

/// A GUID as Windows writes it: three numbers, little-endian, and eight bytes.
fn guid(bytes: &[u8]) -> String {
    let hex = |places: &[usize]| -> String {
        places
            .iter()
            .filter_map(|place| bytes.get(*place))
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    [
        hex(&[3, 2, 1, 0]),
        hex(&[5, 4]),
        hex(&[7, 6]),
        hex(&[8, 9]),
        hex(&[10, 11, 12, 13, 14, 15]),
    ]
    .join("-")
}

/// Reads numbers in little-endian order and what stands behind its length.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    /// A reader from a place in these bytes.
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next field begins.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The next bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Cut> {
        let needed = self.at.saturating_add(length);
        let taken = self.bytes.get(self.at..needed).ok_or(Cut { needed })?;
        self.at = needed;
        Ok(taken)
    }

    /// A number of 32 bits.
    pub fn u32(&mut self) -> Result<u32, Cut> {
        let needed = self.at.saturating_add(4);
        let word = self.take(4)?.first_chunk().ok_or(Cut { needed })?;
        Ok(u32::from_le_bytes(*word))
    }

    /// A length of 32 bits.
    pub fn length(&mut self) -> Result<usize, Cut> {
        let length = self.u32()?;
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn counted(&mut self) -> Result<&'a [u8], Cut> {
        let length = self.length()?;
        self.take(length)
    }
}
