//! The files of a gzipped tar, each with its SHA-256 (POSIX.1-2017 pax and ustar, and GNU's long names).

use crate::host::digest::DigestKind;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufReader, Read};

const BLOCK: usize = 512;
/// The most bytes that are unpacked of one archive.
const MOST_BYTES: u64 = 1 << 30;
/// The longest name or pax header that is read.
const MOST_NAME: u64 = 64 << 10;

/// Calls `each` with the path and the digest of each regular file. What stands before a fault is told.
pub(super) fn files(archive: impl Read, mut each: impl FnMut(&[u8], (DigestKind, &[u8]))) {
    let unpacked = flate2::read::MultiGzDecoder::new(BufReader::new(archive)).take(MOST_BYTES);
    let mut reader = Tar {
        reader: unpacked,
        long_name: None,
    };
    while let Ok(true) = reader.next(&mut each) {}
}

struct Tar<R> {
    reader: R,
    long_name: Option<Vec<u8>>,
}

impl<R: Read> Tar<R> {
    fn next(&mut self, each: &mut impl FnMut(&[u8], (DigestKind, &[u8]))) -> io::Result<bool> {
        let mut header = [0u8; BLOCK];
        self.reader.read_exact(&mut header)?;
        let field = |from: usize, to: usize| until_zero(header.get(from..to).unwrap_or_default());
        if header.iter().all(|&b| b == 0) {
            return Ok(false);
        }
        let size = octal(field(124, 136)).ok_or(io::ErrorKind::InvalidData)?;
        match header.get(156) {
            Some(b'L') => {
                let name = self.short(size)?;
                self.long_name = Some(until_zero(&name).to_vec());
            }
            Some(b'x') => self.long_name = pax_path(&self.short(size)?),
            Some(b'0' | 0) => {
                let prefix = if header.get(257..262) == Some(b"ustar") {
                    field(345, 500)
                } else {
                    b""
                };
                let slash: &[u8] = if prefix.is_empty() { b"" } else { b"/" };
                let name = [prefix, slash, field(0, 100)].concat();
                let name = self.long_name.take().unwrap_or(name);
                let mut hasher = Sha256::new();
                self.content(size, |bytes| hasher.update(bytes))?;
                each(&name, (DigestKind::Sha256, &hasher.finalize()));
            }
            _ => {
                self.long_name = None;
                self.content(size, |_| {})?;
            }
        }
        Ok(true)
    }

    fn short(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MOST_NAME {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::new();
        self.content(size, |part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// Reads `size` bytes and the padding behind them.
    fn content(&mut self, size: u64, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = [0u8; BLOCK];
        let mut left = size;
        while left > 0 {
            self.reader.read_exact(&mut buffer)?;
            let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            each(buffer.get(..part).unwrap_or_default());
            left = left.saturating_sub(u64::try_from(part).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&b| b == 0).next().unwrap_or_default()
}

fn octal(field: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(field).ok()?.trim(), 8).ok()
}

/// The `path` of a pax extended header: records of `<length> <key>=<value>\n`.
fn pax_path(mut records: &[u8]) -> Option<Vec<u8>> {
    while !records.is_empty() {
        let space = records.iter().position(|&b| b == b' ')?;
        let length: usize = std::str::from_utf8(records.get(..space)?)
            .ok()?
            .parse()
            .ok()?;
        let record = records.get(space.checked_add(1)?..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(path.strip_suffix(b"\n").unwrap_or(path).to_vec());
        }
        records = records.get(length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_pax() {
        assert_eq!(
            pax_path(b"20 atime=1234567890\n15 path=a/b/cde\n"),
            Some(b"a/b/cde".to_vec())
        );
        assert_eq!(pax_path(b"0 path=x\n"), None);
        assert_eq!(pax_path(b"99 path=x\n"), None);
    }

    #[test]
    fn chance_bytes_end_it() {
        for bytes in [&b""[..], b"\x1f\x8b", &[0xff; 2048]] {
            files(bytes, |_, _| panic!("no file in these"));
        }
    }
}
