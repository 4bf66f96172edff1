//! LZ4 frames ("LZ4 Frame Format Description", version 1.6.4), the legacy ones of kernels and their initial RAM disks among them.

use super::Input;
use super::codec::{Codec, Decoder, Opened, continues};
use super::zstd::behind_skippable;
use lz4_flex::block::decompress_into_with_dict;
use std::hash::Hasher as _;
use std::io::{self, Read};
use twox_hash::XxHash32;
use zeroize::Zeroizing;

/// The archive.
pub(super) static LZ4: Codec = Codec {
    name: "lz4",
    begins,
    open,
};

const MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];
const LEGACY_MAGIC: &[u8] = &[0x02, 0x21, 0x4c, 0x18];
const SKIPPABLE_MAGIC: &[u8] = &[0x2a, 0x4d, 0x18];
/// Blocks of legacy frames hold so much, the last one less.
const LEGACY_BLOCK: usize = 8 << 20;
/// Blocks refer to so much that stands before them.
const HISTORY: usize = 64 << 10;
/// Set in the size of a block that is not compressed.
const IS_STORED: u32 = 1 << 31;

fn begins(start: &[u8]) -> bool {
    let frame = behind_skippable(start);
    if let Some(descriptor) = frame.strip_prefix(MAGIC) {
        return Frame::read(descriptor).is_ok();
    }
    let size = frame
        .strip_prefix(LEGACY_MAGIC)
        .and_then(<[u8]>::first_chunk);
    let size = size.map(|size| u32::from_le_bytes(*size) as usize);
    size.is_some_and(|size| (1..=compressed_max(LEGACY_BLOCK)).contains(&size))
}

/// What compresses to most is larger afterwards.
const fn compressed_max(size: usize) -> usize {
    size + size / 255 + 16
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    Ok(Box::new(Lz4 {
        input,
        frame: None,
        at_end: false,
        compressed: Vec::new(),
        bytes: Zeroizing::new(Vec::new()),
        from: 0,
        to: 0,
    }))
}

/// What a frame's header says.
struct Frame {
    is_legacy: bool,
    is_linked: bool,
    block_max: usize,
    has_block_checksum: bool,
    needs_dictionary: bool,
    /// Of what was decoded so far, if the frame tells it at its end.
    checksum: Option<XxHash32>,
    /// Size of the header behind the magic number.
    header: usize,
}

impl Frame {
    const LEGACY: Self = Self {
        is_legacy: true,
        is_linked: false,
        block_max: LEGACY_BLOCK,
        has_block_checksum: false,
        needs_dictionary: false,
        checksum: None,
        header: 0,
    };

    /// Reads the descriptor that stands behind the magic number.
    fn read(descriptor: &[u8]) -> io::Result<Self> {
        let [flags, sizes, ..] = *descriptor else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let has = |bit: u8| flags & bit != 0;
        let header = 2 + 8 * usize::from(has(8)) + 4 * usize::from(has(1));
        let (Some(fields), Some(checksum)) = (descriptor.get(..header), descriptor.get(header))
        else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let right = XxHash32::oneshot(0, fields).to_le_bytes();
        if flags >> 6 != 1 || has(2) || sizes & 0x8f != 0 || sizes < 0x40 || right[1] != *checksum {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self {
            is_legacy: false,
            is_linked: !has(0x20),
            block_max: 1 << (8 + 2 * (sizes >> 4)),
            has_block_checksum: has(0x10),
            needs_dictionary: has(1),
            checksum: has(4).then(|| XxHash32::with_seed(0)),
            header: header + 1,
        })
    }
}

struct Lz4<'a, 'b> {
    input: &'a mut Input<'b>,
    frame: Option<Frame>,
    at_end: bool,
    compressed: Vec<u8>,
    /// What stood before a block, and the block.
    bytes: Zeroizing<Vec<u8>>,
    /// What of it was not given yet.
    from: usize,
    to: usize,
}

impl Read for Lz4<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.from == self.to && !self.at_end {
            match self.frame.take() {
                Some(frame) => self.frame = self.block(frame)?,
                None => self.frame = self.header()?,
            }
            if self.frame.is_none() {
                self.at_end = !continues(self.input, begins)?;
            }
        }
        let ready = self.bytes.get(self.from..self.to).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(target), Some(ready)) = (buffer.get_mut(..count), ready.get(..count)) {
            target.copy_from_slice(ready);
        }
        self.from += count;
        Ok(count)
    }
}

impl Lz4<'_, '_> {
    /// Reads the header of the next frame; none of a skippable one.
    fn header(&mut self) -> io::Result<Option<Frame>> {
        let magic: [u8; 4] = self.input.take_array()?;
        (self.from, self.to) = (0, 0);
        if magic == LEGACY_MAGIC {
            return Ok(Some(Frame::LEGACY));
        }
        if magic.ends_with(SKIPPABLE_MAGIC.get(1..).unwrap_or_default()) && magic != MAGIC {
            let size = u32::from_le_bytes(self.input.take_array()?);
            let end = self.input.position() + u64::from(size);
            self.input.skip_to(end)?;
            return Ok(None);
        }
        let frame = Frame::read(self.input.peek(16)?)?;
        if frame.needs_dictionary {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.input
            .skip_to(self.input.position() + frame.header as u64)?;
        Ok(Some(frame))
    }

    /// Reads the next block; gives the frame back if it does not end there.
    fn block(&mut self, mut frame: Frame) -> io::Result<Option<Frame>> {
        if frame.is_legacy && self.ends_legacy()? {
            return Ok(None);
        }
        let word = u32::from_le_bytes(self.input.take_array()?);
        if word == 0 {
            return match frame.checksum.map(|checksum| checksum.finish_32()) {
                Some(right) if self.input.take_array()? != right.to_le_bytes() => {
                    Err(io::ErrorKind::InvalidData.into())
                }
                _ => Ok(None),
            };
        }
        let is_stored = word & IS_STORED != 0 && !frame.is_legacy;
        let size = (word & !IS_STORED) as usize;
        let most = match frame.is_legacy {
            true => compressed_max(LEGACY_BLOCK),
            false => frame.block_max,
        };
        if size > most {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.compressed.clear();
        let mut block = Read::take(&mut *self.input, size as u64);
        block.read_to_end(&mut self.compressed)?;
        if self.compressed.len() < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if frame.has_block_checksum {
            let checksum = XxHash32::oneshot(0, &self.compressed).to_le_bytes();
            if self.input.take_array()? != checksum {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        self.decode(&frame, is_stored)?;
        let decoded = self.bytes.get(self.from..self.to).unwrap_or_default();
        if let Some(checksum) = &mut frame.checksum {
            checksum.write(decoded);
        }
        Ok(Some(frame))
    }

    fn decode(&mut self, frame: &Frame, is_stored: bool) -> io::Result<()> {
        let kept = if frame.is_linked {
            self.to.min(HISTORY)
        } else {
            0
        };
        self.bytes.copy_within(self.to - kept..self.to, 0);
        // A block of a stored size needs no more room than that.
        let room = if is_stored {
            self.compressed.len()
        } else {
            frame.block_max
        };
        if self.bytes.len() < kept + room {
            self.bytes.resize(kept + room, 0);
        }
        let (history, block) = self.bytes.split_at_mut(kept);
        let block = block.get_mut(..room).unwrap_or_default();
        (self.from, self.to) = (kept, kept);
        self.to += if is_stored {
            block.copy_from_slice(&self.compressed);
            room
        } else {
            decompress_into_with_dict(&self.compressed, block, history)
                .map_err(|_| io::ErrorKind::InvalidData)?
        };
        Ok(())
    }

    /// Whether no further block of a legacy frame follows: it has no mark at its end.
    fn ends_legacy(&mut self) -> io::Result<bool> {
        let is_last = self.to > 0 && self.to < LEGACY_BLOCK;
        let next = self.input.peek(4)?;
        let size = next
            .first_chunk()
            .map(|size| u32::from_le_bytes(*size) as usize);
        // Another magic number is larger than any size.
        let possible = 1..=compressed_max(LEGACY_BLOCK);
        Ok(is_last || next.is_empty() || size.is_some_and(|size| !possible.contains(&size)))
    }
}

impl<'a, 'b> Decoder<'a, 'b> for Lz4<'a, 'b> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.input
    }
}
