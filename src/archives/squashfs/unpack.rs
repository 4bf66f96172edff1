//! The compressors of squashfs: each block by itself, into what it may hold at most.

use crate::archives::Failure;
use crate::archives::methods;
use flate2::read::ZlibDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use std::io::Read;
use zeroize::Zeroizing;

/// The largest window of xz and lzma, in KiB: twice the largest block, and what a decoder needs beside it.
const MEMORY_MAX: u32 = 4 << 10;

/// How blocks are compressed.
#[derive(Clone, Copy)]
pub(super) enum Compressor {
    Gzip,
    Lzma,
    Xz,
    Lz4,
    Zstd,
}

impl Compressor {
    /// By its number in the superblock.
    pub(super) fn of(number: u16) -> Result<Self, Failure> {
        Ok(match number {
            1 => Self::Gzip,
            2 => Self::Lzma,
            3 => return Err(Failure::unsupported("compressed with LZO")),
            4 => Self::Xz,
            5 => Self::Lz4,
            6 => Self::Zstd,
            _ => return Err(Failure::unsupported("a compressor that is not known")),
        })
    }

    /// Unpacks a block that holds at most so many bytes; none if it is damaged.
    pub(super) fn unpack(self, packed: &[u8], most: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(vec![0; most]);
        let count = match self {
            Self::Gzip => fill(ZlibDecoder::new(packed), &mut bytes)?,
            Self::Lzma => {
                let mut decoder = LzmaReader::new_mem_limit(packed, MEMORY_MAX, None).ok()?;
                fill(&mut decoder, &mut bytes)?
            }
            Self::Xz => fill(
                XzReader::new_mem_limit(packed, false, MEMORY_MAX),
                &mut bytes,
            )?,
            Self::Lz4 => lz4_flex::block::decompress_into(packed, &mut bytes).ok()?,
            Self::Zstd => fill(methods::zstd(packed).ok()?, &mut bytes)?,
        };
        bytes.truncate(count);
        Some(bytes)
    }
}

/// Reads to the end; none if it is damaged or holds more.
fn fill(mut decoder: impl Read, bytes: &mut [u8]) -> Option<usize> {
    let mut count = 0;
    loop {
        let target = bytes.get_mut(count..).unwrap_or_default();
        if target.is_empty() {
            return (decoder.read(&mut [0]).ok()? == 0).then_some(count);
        }
        match decoder.read(target).ok()? {
            0 => return Some(count),
            more => count += more,
        }
    }
}
