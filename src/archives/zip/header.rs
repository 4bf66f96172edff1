//! What zip says of one member: local headers and records of the central directory (PKWARE APPNOTE 6.3.10, 4.3.7 and 4.3.12).

use super::name;
use crate::archives::little::{u16_at, u32_at, u64_at};
use crate::archives::{Failure, Input};
use std::io::Read as _;

pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
pub(super) const CENTRAL: &[u8] = b"PK\x01\x02";
pub(super) const DESCRIPTOR: &[u8] = b"PK\x07\x08";

const LOCAL_SIZE: usize = 30;
const CENTRAL_SIZE: usize = 46;

/// Encrypted, whatever with.
const ENCRYPTED: u16 = 1;
/// Sizes and checksum stand behind the data.
const STREAMED: u16 = 1 << 3;
/// PKWARE's strong encryption.
const STRONG: u16 = 1 << 6;
/// Sizes, checksum and name of the local header are masked.
const MASKED: u16 = 1 << 13;

/// A local header does not say on what system it was made: its name is told as it stands.
const UNKNOWN_HOST: u8 = u8::MAX;

/// The method that stands for WinZip's AES encryption.
const AES: u16 = 99;

/// What a header says, with what extra fields add.
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    /// Bytes as they lie.
    pub(super) packed: u64,
    /// Bytes as they were.
    pub(super) size: u64,
    /// As it is told: see [`name::decode`].
    pub(super) name: Vec<u8>,
    /// The bytes that stand there.
    raw_name: Vec<u8>,
    /// WinZip's encryption: bits of the key.
    aes: Option<u16>,
}

/// A record of the central directory.
pub(super) struct Listed {
    pub(super) header: Header,
    /// Place of the local header, counted from where the archive thinks that it begins.
    pub(super) offset: u64,
    pub(super) comment: Vec<u8>,
}

impl Header {
    /// The local header that stands next; the input stands at its data afterwards.
    ///
    /// # Errors
    /// Cut off, or none.
    pub(super) fn local(input: &mut Input<'_>) -> Result<Self, Failure> {
        let fixed: [u8; LOCAL_SIZE] = input.take_array()?;
        if !fixed.starts_with(LOCAL) {
            return Err(Failure::malformed("no local header at its place"));
        }
        let raw_name = bytes(input, u16_at(&fixed, 26))?;
        let extra = bytes(input, u16_at(&fixed, 28))?;
        let common = fixed.get(6..26).unwrap_or_default();
        Ok(Self::of(common, UNKNOWN_HOST, raw_name, &extra).0)
    }

    /// `common` are the fields that both headers have, from the flags on. Gives the offset from a zip64 field too.
    fn of(common: &[u8], host: u8, raw_name: Vec<u8>, extra: &[u8]) -> (Self, Option<u64>) {
        let (packed, size) = (u32_at(common, 12), u32_at(common, 16));
        let mut header = Self {
            flags: u16_at(common, 0),
            method: u16_at(common, 2),
            crc: u32_at(common, 8),
            packed: packed.into(),
            size: size.into(),
            name: Vec::new(),
            raw_name,
            aes: None,
        };
        let mut offset = None;
        let mut unicode = None;
        let mut rest = extra;
        while let Some((field, after)) = rest
            .get(4..)
            .and_then(|data| data.split_at_checked(u16_at(rest, 2).into()))
        {
            match u16_at(rest, 0) {
                // zip64: those of the numbers that did not fit, in this order.
                1 => {
                    let mut numbers = field.chunks_exact(8).map(|number| u64_at(number, 0));
                    if size == u32::MAX {
                        header.size = numbers.next().unwrap_or(header.size);
                    }
                    if packed == u32::MAX {
                        header.packed = numbers.next().unwrap_or(header.packed);
                    }
                    offset = numbers.next();
                }
                0x7075 => unicode = name::unicode_path(field, &header.raw_name),
                0x9901 => {
                    header.aes = Some(u16::from(field.get(4).copied().unwrap_or(0)) * 64 + 64);
                }
                _ => {}
            }
            rest = after;
        }
        header.name = match unicode {
            Some(name) => name,
            None => name::decode(&header.raw_name, header.flags, host),
        };
        (header, offset)
    }

    /// With what it is encrypted, if it is.
    pub(super) fn encryption(&self) -> Option<String> {
        if self.flags & (ENCRYPTED | MASKED) == 0 && self.method != AES {
            return None;
        }
        Some(match self.aes {
            Some(bits) => format!("AES-{bits}"),
            None if self.method == AES => "AES".to_owned(),
            None if self.flags & STRONG != 0 => "PKWARE's strong encryption".to_owned(),
            None => "ZipCrypto".to_owned(),
        })
    }

    /// Whether only what stands behind the data tells how many they are; some programs know the size as it was, and tell that.
    pub(super) const fn is_streamed(&self) -> bool {
        self.flags & STREAMED != 0 && self.packed == 0
    }

    /// Whether what follows the data may be a data descriptor.
    pub(super) const fn has_descriptor(&self) -> bool {
        self.flags & STREAMED != 0
    }

    /// For LZMA: whether an end mark tells the end.
    pub(super) const fn has_end_mark(&self) -> bool {
        self.flags & 2 != 0
    }

    /// In what a local header contradicts this one of the directory, if it does.
    pub(super) fn contradiction(&self, local: &Self) -> Option<&'static str> {
        let masked = local.flags & MASKED != 0;
        if local.method != self.method {
            Some("method")
        } else if masked || self.flags & MASKED != 0 {
            None
        } else if local.flags & STREAMED == 0 && local.packed != self.packed {
            Some("size")
        } else if local.raw_name != self.raw_name {
            Some("name")
        } else {
            None
        }
    }
}

impl Listed {
    /// The record that stands next.
    ///
    /// # Errors
    /// Cut off, or none.
    pub(super) fn read(input: &mut Input<'_>) -> Result<Self, Failure> {
        let fixed: [u8; CENTRAL_SIZE] = input.take_array()?;
        if !fixed.starts_with(CENTRAL) {
            return Err(Failure::malformed("a record of the directory is none"));
        }
        let raw_name = bytes(input, u16_at(&fixed, 28))?;
        let extra = bytes(input, u16_at(&fixed, 30))?;
        let comment = bytes(input, u16_at(&fixed, 32))?;
        let common = fixed.get(8..28).unwrap_or_default();
        let host = fixed.get(5).copied().unwrap_or(0);
        let (header, far) = Header::of(common, host, raw_name, &extra);
        let offset = u32_at(&fixed, 42);
        Ok(Self {
            header,
            offset: match far {
                Some(far) if offset == u32::MAX => far,
                _ => offset.into(),
            },
            comment,
        })
    }

    /// Whether it has something to be looked into.
    pub(super) fn is_empty(&self) -> bool {
        self.header.packed == 0 && self.header.size == 0
    }
}

fn bytes(input: &mut Input<'_>, count: u16) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; count.into()];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}
