//! Inodes ("Index Nodes" and "Inline Data" of the kernel's ext4 documentation).

use super::map;
use super::volume::Volume;
use crate::archives::Failure;
use crate::archives::little::{u16_at, u32_at};
use crate::archives::mapped::Map;
use zeroize::Zeroizing;

const ENCRYPTED: u32 = 0x800;
const COMPRESSED: u32 = 0x4;
const EXTENTS: u32 = 0x8_0000;
const INLINE: u32 = 0x1000_0000;
/// Place of the map, or of the first bytes of a file that stands in its inode.
const MAP: usize = 0x28;
const MAP_SIZE: usize = 60;
/// What an extended attribute in an inode begins with, and the index of the names beginning with `system.`.
const ATTRIBUTES: u32 = 0xea02_0000;
const SYSTEM: u8 = 7;

/// What an inode is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A link, a device, a pipe, a socket, or nothing.
    Other,
}

pub(super) struct Inode {
    bytes: Zeroizing<Vec<u8>>,
    place: u64,
    flags: u32,
}

/// Where the bytes of a file are.
pub(super) enum Data {
    /// In the inode.
    Inline(Zeroizing<Vec<u8>>),
    Blocks(Map),
}

impl Inode {
    pub(super) fn read(volume: &Volume<'_>, number: u64) -> Result<Self, Failure> {
        let place = volume.inode_place(number)?;
        let bytes = volume.read(place, volume.layout.inode_size)?;
        let flags = u32_at(&bytes, 0x20);
        Ok(Self {
            bytes,
            place,
            flags,
        })
    }

    pub(super) fn kind(&self) -> Kind {
        match u16_at(&self.bytes, 0) >> 12 {
            4 => Kind::Directory,
            8 => Kind::File,
            _ => Kind::Other,
        }
    }

    /// Place in the file system.
    pub(super) const fn place(&self) -> u64 {
        self.place
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    pub(super) const fn is_compressed(&self) -> bool {
        self.flags & COMPRESSED != 0
    }

    /// How many bytes it has, as it says.
    pub(super) fn size(&self, volume: &Volume<'_>) -> u64 {
        let low = u64::from(u32_at(&self.bytes, 4));
        // In a directory the field was once for something else.
        if self.kind() == Kind::Directory && !volume.layout.has_large_directories {
            return low;
        }
        low | u64::from(u32_at(&self.bytes, 0x6c)) << 32
    }

    /// Where its bytes are, and what is wrong with that.
    pub(super) fn data(&self, volume: &Volume<'_>) -> Result<(Data, Option<Failure>), Failure> {
        let size = self.size(volume);
        let fields = self.bytes.get(MAP..MAP + MAP_SIZE).unwrap_or_default();
        if self.flags & INLINE != 0 {
            return Ok((Data::Inline(self.inline(size, fields)?), None));
        }
        let blocks = size.div_ceil(volume.layout.block);
        let (map, damage) = if self.flags & EXTENTS != 0 {
            map::of_extents(volume, fields, blocks, size)?
        } else {
            map::of_blocks(volume, fields, blocks, size)?
        };
        Ok((Data::Blocks(map), damage))
    }

    /// The bytes of a file that stands in its inode: before the attributes, and in one of them.
    fn inline(&self, size: u64, first: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let wrong = || Failure::malformed("a file in its inode is larger than that");
        let size = usize::try_from(size).map_err(|_| wrong())?;
        let more = match size.checked_sub(first.len()) {
            None | Some(0) => {
                let bytes = first.get(..size).unwrap_or(first);
                return Ok(Zeroizing::new(bytes.to_vec()));
            }
            Some(more) => more,
        };
        let rest = self.attribute().and_then(|value| value.get(..more));
        Ok(Zeroizing::new([first, rest.ok_or_else(wrong)?].concat()))
    }

    /// The attribute `system.data`.
    fn attribute(&self) -> Option<&[u8]> {
        let start = 128 + usize::from(u16_at(&self.bytes, 0x80));
        let attributes = self.bytes.get(start..)?;
        if u32_at(attributes, 0) != ATTRIBUTES {
            return None;
        }
        let entries = attributes.get(4..)?;
        let mut at = 0;
        // Four zero bytes end them; the name of an access list is empty, and its length the first byte.
        while let Some([length, index, ..]) = entries.get(at..).filter(|rest| u32_at(rest, 0) != 0)
        {
            let length = usize::from(*length);
            let name = entries.get(at + 16..)?.get(..length)?;
            if *index == SYSTEM && name == b"data" {
                let offset = usize::from(u16_at(entries, at + 2));
                let size = usize::try_from(u32_at(entries, at + 8)).ok()?;
                return entries.get(offset..)?.get(..size);
            }
            at += 16 + length.next_multiple_of(4);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel writes where a directory gives its files a default access list: that stands before the data.
    #[test]
    fn the_rest_of_a_file_stands_behind_an_attribute_without_a_name() {
        let mut bytes = vec![0; 512];
        bytes[0x80..0x82].copy_from_slice(&32u16.to_le_bytes());
        let attributes = 128 + 32;
        bytes[attributes..attributes + 4].copy_from_slice(&ATTRIBUTES.to_le_bytes());
        let entries = attributes + 4;
        // Length of the name, index, place and size of the value; `system.posix_acl_access` is an index alone.
        for (at, name, index, place, size) in
            [(0, &b""[..], 2, 300u16, 28u32), (16, b"data", 7, 200, 5)]
        {
            let entry = &mut bytes[entries + at..];
            entry[0] = u8::try_from(name.len()).unwrap();
            entry[1] = index;
            entry[2..4].copy_from_slice(&place.to_le_bytes());
            entry[8..12].copy_from_slice(&size.to_le_bytes());
            entry[16..16 + name.len()].copy_from_slice(name);
        }
        bytes[entries + 200..entries + 205].copy_from_slice(b"later");
        let inode = Inode {
            bytes: Zeroizing::new(bytes),
            place: 0,
            flags: INLINE,
        };
        let first = [b'x'; MAP_SIZE];
        let whole = inode.inline(65, &first).unwrap();
        assert_eq!(*whole, [&first[..], b"later"].concat());
        assert!(inode.inline(66, &first).is_err());
    }
}
