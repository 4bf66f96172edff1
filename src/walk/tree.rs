//! All directories that the walk met, in few bytes each, and which of them are the same.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of a directory in one walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryId(pub(super) u32);

/// Device and inode number.
pub(super) type Identity = (u64, u64);

/// All directories that the walk met.
#[derive(Debug, Default)]
pub(super) struct Tree {
    inner: Mutex<Records>,
}

/// The records themselves.
#[derive(Debug, Default)]
pub(super) struct Records {
    records: Vec<Record>,
    names: Vec<u8>,
    /// Directories that were listed: the first sight of each.
    first: HashMap<Identity, u32>,
    /// Further sights of the same directory, by the first one.
    again: HashMap<u32, Vec<u32>>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    name_start: usize,
    name_len: u16,
    parent: u32,
    identity: Identity,
}

/// Parent of the host's root.
const NONE: u32 = u32::MAX;

impl Tree {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a directory in; none when more than four thousand million were met.
    pub(super) fn add(
        &self,
        parent: Option<DirectoryId>,
        name: &[u8],
        identity: Identity,
    ) -> Option<DirectoryId> {
        let mut inner = self.lock();
        let id = u32::try_from(inner.records.len())
            .ok()
            .filter(|id| *id != NONE)?;
        let record = Record {
            name_start: inner.names.len(),
            name_len: u16::try_from(name.len()).ok()?,
            parent: parent.map_or(NONE, |id| id.0),
            identity,
        };
        inner.names.extend_from_slice(name);
        inner.records.push(record);
        Some(DirectoryId(id))
    }

    /// Marks a directory as about to be listed: none when it is seen first, else the directory that was.
    pub(super) fn first_sight(&self, id: DirectoryId, identity: Identity) -> Option<DirectoryId> {
        let mut inner = self.lock();
        let first = *inner.first.entry(identity).or_insert(id.0);
        (first != id.0).then_some(DirectoryId(first))
    }

    /// Says that `id` is the same directory as `first`.
    pub(super) fn same(&self, first: DirectoryId, id: DirectoryId) {
        self.lock().again.entry(first.0).or_default().push(id.0);
    }

    /// Says that the directory seen first is gone and `id` has its inode number now.
    pub(super) fn replaced(&self, id: DirectoryId, identity: Identity) {
        self.lock().first.insert(identity, id.0);
    }

    /// The path of a directory.
    pub(super) fn path(&self, id: DirectoryId) -> Vec<u8> {
        self.lock().path(id)
    }

    /// The paths at which a directory was seen before `id`.
    pub(super) fn earlier_paths(&self, first: DirectoryId, id: DirectoryId) -> Vec<Vec<u8>> {
        let inner = self.lock();
        let again = inner.again.get(&first.0).map_or(&[][..], Vec::as_slice);
        std::iter::once(first.0)
            .chain(again.iter().copied())
            .filter(|earlier| *earlier != id.0)
            .map(|earlier| inner.path(DirectoryId(earlier)))
            .collect()
    }

    pub(super) fn into_records(self) -> Records {
        self.inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn name(&self, record: &Record) -> &[u8] {
        self.names
            .get(record.name_start..)
            .and_then(|rest| rest.get(..usize::from(record.name_len)))
            .unwrap_or_default()
    }

    fn get(&self, id: u32) -> Option<&Record> {
        self.records.get(usize::try_from(id).ok()?)
    }

    /// The path of a directory.
    pub(super) fn path(&self, id: DirectoryId) -> Vec<u8> {
        let mut names = Vec::new();
        let mut next = self.get(id.0);
        while let Some(record) = next.filter(|record| record.parent != NONE) {
            names.push(self.name(record));
            next = self.get(record.parent);
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path
    }

    /// All sights of the directory that was seen as `id`, itself included.
    pub(super) fn sights(&self, id: DirectoryId) -> Vec<DirectoryId> {
        let alone = vec![id];
        let first = self.get(id.0).and_then(|r| self.first.get(&r.identity));
        let Some(first) = first else { return alone };
        let again = self.again.get(first).map_or(&[][..], Vec::as_slice);
        let all: Vec<DirectoryId> = std::iter::once(*first)
            .chain(again.iter().copied())
            .map(DirectoryId)
            .collect();
        if all.contains(&id) { all } else { alone }
    }

    /// Whether some directory was seen at several paths.
    pub(super) fn has_repeated(&self) -> bool {
        !self.again.is_empty()
    }

    /// All directories, in an order that [`Self::find`] can search.
    pub(super) fn index(&self) -> Vec<u32> {
        let mut index: Vec<u32> = (0u32..).take(self.records.len()).collect();
        index.sort_by(|a, b| self.order(*a).cmp(&self.order(*b)));
        index
    }

    fn order(&self, id: u32) -> (u32, &[u8]) {
        self.get(id)
            .map_or((NONE, &[]), |record| (record.parent, self.name(record)))
    }

    /// The directories at a path, found through an index; several when roots overlap.
    pub(super) fn find(&self, index: &[u32], path: &[u8]) -> Vec<DirectoryId> {
        let mut here = self.children(index, NONE, b"");
        for component in super::components(path) {
            here = here
                .iter()
                .flat_map(|id| self.children(index, *id, component))
                .collect();
        }
        here.into_iter().map(DirectoryId).collect()
    }

    fn children(&self, index: &[u32], parent: u32, name: &[u8]) -> Vec<u32> {
        let start = index.partition_point(|id| self.order(*id) < (parent, name));
        let rest = index.get(start..).unwrap_or_default();
        rest.iter()
            .copied()
            .take_while(|id| self.order(*id) == (parent, name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_again_and_the_same_directory_has_them_all() {
        let tree = Tree::default();
        let root = tree.add(None, b"", (1, 2)).unwrap();
        let a = tree.add(Some(root), b"a", (1, 3)).unwrap();
        let b = tree.add(Some(root), b"b", (1, 3)).unwrap();
        let c = tree.add(Some(a), b"c", (1, 4)).unwrap();
        assert_eq!(tree.first_sight(a, (1, 3)), None);
        assert_eq!(tree.first_sight(b, (1, 3)), Some(a));
        tree.same(a, b);
        assert_eq!(tree.path(c), b"/a/c");
        assert_eq!(tree.path(root), b"/");
        assert_eq!(tree.earlier_paths(a, b), [b"/a".to_vec()]);
        let records = tree.into_records();
        let index = records.index();
        assert_eq!(records.find(&index, b"/a/c"), [c]);
        assert_eq!(records.find(&index, b"/"), [root]);
        assert_eq!(records.find(&index, b"/b/c"), []);
        assert_eq!(records.sights(b), [a, b]);
        assert_eq!(records.sights(c), [c]);
        assert!(records.has_repeated());
    }
}
