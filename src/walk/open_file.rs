//! A file that is open for reading, with what `fstat` says of it.

use super::directory::Directory;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{SeekFrom, Stat, seek};
use rustix::io::{Errno, pread};
use std::io;

/// A regular file that is open for reading.
#[derive(Debug)]
pub struct OpenFile<'a> {
    pub(super) fd: BorrowedFd<'a>,
    pub(super) facts: Facts,
    pub(super) path: &'a [u8],
    pub(super) directory: &'a Directory,
}

/// What `fstat` says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Size in bytes.
    pub size: u64,
    /// Bytes that it occupies: less than its size where it has holes.
    pub allocated: u64,
    /// Permission bits with set-id and sticky bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Time of last modification: seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds of that time.
    pub mtime_nanoseconds: u32,
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// How many hard links it has.
    pub nlink: u64,
}

impl Facts {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_fallible_conversions,
        reason = "the widths of these fields differ between processors"
    )]
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            allocated: u64::try_from(stat.st_blocks)
                .unwrap_or(0)
                .saturating_mul(512),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: i64::try_from(stat.st_mtime).unwrap_or(0),
            mtime_nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            dev: stat.st_dev,
            ino: stat.st_ino,
            nlink: u64::from(stat.st_nlink),
        }
    }
}

impl Facts {
    /// What `fstat` says of an open file.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn of_file(file: impl AsFd) -> io::Result<Self> {
        Ok(Self::of(&rustix::fs::fstat(file)?))
    }
}

impl OpenFile<'_> {
    /// Its absolute path as the host sees it.
    pub fn path(&self) -> &[u8] {
        self.path
    }

    /// The last component of its path.
    pub fn file_name(&self) -> &[u8] {
        super::split_path(self.path).map_or(self.path, |(_, name)| name)
    }

    /// What `fstat` said when it was opened.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The directory that holds it, and through it all above.
    pub fn directory(&self) -> &Directory {
        self.directory
    }

    /// Reads at an offset as pread(2) does: as much as there is at once; 0 at the end.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match pread(self.fd, &mut *buffer, offset) {
                Err(Errno::INTR) => {}
                other => return other.map_err(io::Error::from),
            }
        }
    }

    /// Where the next bytes that are no hole begin, at `offset` or after it; none when only a hole follows. `offset`
    /// itself on file systems that do not tell.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        match seek(self.fd, SeekFrom::Data(offset)) {
            Ok(at) => Ok(Some(at)),
            Err(Errno::NXIO) => Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOTTY) => Ok(Some(offset)),
            Err(other) => Err(other.into()),
        }
    }
}

impl AsFd for OpenFile<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd
    }
}
