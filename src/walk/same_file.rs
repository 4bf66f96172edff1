//! Files that may be seen again under another path: hard links, overlays, files that are mounted elsewhere.

use super::tree::DirectoryId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What tells one file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileIdentity {
    /// Device; for a file seen through an overlay, the device of its layers.
    pub(super) dev: u64,
    /// Inode number.
    pub(super) ino: u64,
    /// Zero, but for a file of an overlay or its layers: its size and time of change, since a file that was copied up
    /// keeps the inode number of the lower one and is another file.
    pub(super) stamp: (u64, i64, i64),
}

/// The sights of such files.
#[derive(Debug, Default)]
pub(super) struct SameFiles {
    inner: Mutex<Sights>,
}

/// The sights themselves.
#[derive(Debug, Default)]
pub(super) struct Sights {
    sights: Vec<Sight>,
    names: Vec<u8>,
    first: HashMap<FileIdentity, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Sight {
    directory: DirectoryId,
    name_start: usize,
    name_len: u16,
    /// The first sight of the same file.
    first: u32,
}

/// What is known of a file that is seen now.
pub(super) enum Known {
    /// It was not seen before.
    No,
    /// It was seen in this directory under this name.
    Yes(FileSight),
}

/// An earlier sight of a file.
pub(super) struct FileSight {
    index: u32,
    pub(super) directory: DirectoryId,
    pub(super) name: Vec<u8>,
}

impl SameFiles {
    fn lock(&self) -> MutexGuard<'_, Sights> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a file when it is seen first; says where it was seen otherwise.
    pub(super) fn sight(
        &self,
        identity: FileIdentity,
        directory: DirectoryId,
        name: &[u8],
    ) -> Known {
        let mut inner = self.lock();
        if let Some((index, sight)) = inner.first(&identity) {
            return Known::Yes(FileSight {
                index,
                directory: sight.directory,
                name: inner.name(&sight).to_vec(),
            });
        }
        if let Some(index) = inner.push(directory, name, None) {
            inner.first.insert(identity, index);
        }
        Known::No
    }

    /// Notes a further path of a file.
    pub(super) fn again(&self, earlier: &FileSight, directory: DirectoryId, name: &[u8]) {
        self.lock().push(directory, name, Some(earlier.index));
    }

    /// Says that the earlier file is gone and this one has its inode number now.
    pub(super) fn replaced(&self, identity: FileIdentity, directory: DirectoryId, name: &[u8]) {
        let mut inner = self.lock();
        if let Some(index) = inner.push(directory, name, None) {
            inner.first.insert(identity, index);
        }
    }

    pub(super) fn into_sights(self) -> Sights {
        self.inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sights {
    fn first(&self, identity: &FileIdentity) -> Option<(u32, Sight)> {
        let index = *self.first.get(identity)?;
        Some((index, *self.sights.get(usize::try_from(index).ok()?)?))
    }

    fn name(&self, sight: &Sight) -> &[u8] {
        self.names
            .get(sight.name_start..)
            .and_then(|rest| rest.get(..usize::from(sight.name_len)))
            .unwrap_or_default()
    }

    fn push(&mut self, directory: DirectoryId, name: &[u8], first: Option<u32>) -> Option<u32> {
        let index = u32::try_from(self.sights.len()).ok()?;
        let sight = Sight {
            directory,
            name_start: self.names.len(),
            name_len: u16::try_from(name.len()).ok()?,
            first: first.unwrap_or(index),
        };
        self.names.extend_from_slice(name);
        self.sights.push(sight);
        Some(index)
    }

    /// Groups the sights of the files that were seen more than once; what was seen once is forgotten.
    pub(super) fn into_groups(self) -> Groups {
        let mut several: HashMap<u32, Vec<(DirectoryId, Vec<u8>)>> = HashMap::new();
        for (index, sight) in (0u32..).zip(&self.sights) {
            if sight.first != index {
                several.entry(sight.first).or_default();
            }
        }
        let mut groups = Groups::default();
        for (index, sight) in (0u32..).zip(&self.sights) {
            let group = several.get_mut(if sight.first == index {
                &index
            } else {
                &sight.first
            });
            if let Some(group) = group {
                let place = (sight.directory, self.name(sight).to_vec());
                groups.of.insert(place.clone(), sight.first);
                group.push(place);
            }
        }
        groups.members = several;
        groups
    }
}

/// Files that were seen under several names.
#[derive(Debug, Default)]
pub(super) struct Groups {
    of: HashMap<(DirectoryId, Vec<u8>), u32>,
    members: HashMap<u32, Vec<(DirectoryId, Vec<u8>)>>,
}

impl Groups {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// All directories and names under which a file was seen; none when only here.
    pub(super) fn members(&self, directory: DirectoryId, name: &[u8]) -> &[(DirectoryId, Vec<u8>)] {
        self.of
            .get(&(directory, name.to_vec()))
            .and_then(|group| self.members.get(group))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_seen_twice_form_groups() {
        let files = SameFiles::default();
        let identity = |ino| FileIdentity {
            dev: 1,
            ino,
            stamp: (0, 0, 0),
        };
        let (a, b) = (DirectoryId(1), DirectoryId(2));
        assert!(matches!(files.sight(identity(7), a, b"x"), Known::No));
        assert!(matches!(files.sight(identity(8), a, b"y"), Known::No));
        let Known::Yes(earlier) = files.sight(identity(7), b, b"z") else {
            panic!("seen before");
        };
        assert_eq!((earlier.directory, &earlier.name[..]), (a, &b"x"[..]));
        files.again(&earlier, b, b"z");
        let groups = files.into_sights().into_groups();
        let both = [(a, b"x".to_vec()), (b, b"z".to_vec())];
        assert_eq!(groups.members(b, b"z"), both);
        assert_eq!(groups.members(a, b"x"), both);
        assert!(groups.members(a, b"y").is_empty());
    }
}
