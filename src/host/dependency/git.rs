//! The index of a Git work tree (gitformat-index(5), versions 2 and 3): the object name of every file as checked out.

use crate::host::digest::DigestKind;
use crate::host::index::FileIndex;

/// Bytes of an entry before its path: times, device, inode, mode, owner, size, object name, flags.
const FIXED: usize = 62;
const OBJECT: std::ops::Range<usize> = 40..60;
const FLAGS: std::ops::Range<usize> = 60..62;
/// A flag of version 3: two more bytes follow.
const EXTENDED: u16 = 0x4000;

/// Adds all files of a Git index. What stands before a fault is told; version 4 and SHA-256 repositories are not read.
pub(super) fn add_index(bytes: &[u8], package: u32, index: &mut FileIndex) {
    let Some((header, mut rest)) = bytes.split_first_chunk::<12>() else {
        return;
    };
    if !matches!(header, [b'D', b'I', b'R', b'C', 0, 0, 0, 2 | 3, ..]) {
        return;
    }
    let count = header
        .last_chunk::<4>()
        .map_or(0, |count| u32::from_be_bytes(*count));
    for _ in 0..count {
        let Some((object, path, after)) = entry(rest) else {
            return;
        };
        index.file(package, path, Some((DigestKind::GitBlob, object)));
        rest = after;
    }
}

fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let flags = u16::from_be_bytes(*bytes.get(FLAGS)?.first_chunk()?);
    let start = FIXED.checked_add(if flags & EXTENDED == 0 { 0 } else { 2 })?;
    let path = bytes.get(start..)?.split(|&b| b == 0).next()?;
    // One to eight zero bytes make the length a multiple of eight.
    let end = start.checked_add(path.len())?.checked_add(8)? / 8 * 8;
    Some((bytes.get(OBJECT)?, path, bytes.get(end..)?))
}
