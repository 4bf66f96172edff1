//! The names of one directory.

use rustix::fs::FileType;
use std::ffi::CStr;

/// Names, one after the other in one buffer: no allocation a name.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each with its final zero byte.
    bytes: Vec<u8>,
    count: usize,
}

impl Names {
    pub(super) fn push(&mut self, name: &CStr) {
        self.bytes.extend_from_slice(name.to_bytes_with_nul());
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CStr> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let name = CStr::from_bytes_until_nul(rest).ok()?;
            rest = rest.get(name.to_bytes_with_nul().len()..)?;
            Some(name)
        })
    }
}

/// What an entry of a directory is, as far as the walk cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Directory,
    Link,
    /// FIFOs, sockets, devices: never opened.
    Other,
    /// The file system does not tell in its listing.
    Unknown,
}

impl From<FileType> for EntryKind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            FileType::Unknown => Self::Unknown,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_exactly() {
        let mut names = Names::default();
        for name in [c"a", c"\xff\n", c"long name"] {
            names.push(name);
        }
        assert_eq!(names.len(), 3);
        let all: Vec<&CStr> = names.iter().collect();
        assert_eq!(all, [c"a", c"\xff\n", c"long name"]);
    }
}
