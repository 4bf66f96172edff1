//! All paths of one file, told after the walk.

use super::exclude::Exclude;
use super::same_file::Groups;
use super::tree::{DirectoryId, Records};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// All paths of files that were seen, or can be reached, under more than one: hard links, bind mounts, overlays.
///
/// The walk reads such a file where it meets it first, which depends on the threads; the paths told here do not.
#[derive(Debug)]
pub struct Aliases {
    records: Records,
    groups: Groups,
    exclude: Exclude,
    index: OnceLock<Vec<u32>>,
}

/// The most paths told of one file.
const MOST_PATHS: usize = 10_000;

impl Aliases {
    pub(super) fn new(records: Records, groups: Groups, exclude: Exclude) -> Self {
        Self {
            records,
            groups,
            exclude,
            index: OnceLock::new(),
        }
    }

    /// Whether no file and no directory was seen twice.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && !self.records.has_repeated()
    }

    /// All paths of the file or directory at `path`, sorted by their bytes: the first is the one to tell. None when
    /// there is only this one.
    pub fn paths_of(&self, path: &[u8]) -> Option<Vec<Vec<u8>>> {
        if self.is_empty() {
            return None;
        }
        let index = self.index.get_or_init(|| self.records.index());
        let (parent, name) = super::split_path(path)?;
        let mut sights: BTreeSet<(DirectoryId, &[u8])> = BTreeSet::new();
        for directory in self.records.find(index, parent) {
            sights.insert((directory, name));
            // The group knows the file by the directory in which it was met, which may be another sight of this one.
            for same in self.records.sights(directory) {
                let members = self.groups.members(same, name);
                sights.extend(members.iter().map(|(d, n)| (*d, n.as_slice())));
            }
        }
        let mut paths = BTreeSet::new();
        for (directory, name) in sights {
            for same in self.records.sights(directory) {
                if paths.len() < MOST_PATHS {
                    paths.insert(super::join(&self.records.path(same), name));
                }
            }
        }
        // The path itself may be a directory that is mounted elsewhere.
        for directory in self.records.find(index, path) {
            let same = self.records.sights(directory);
            paths.extend(same.into_iter().map(|same| self.records.path(same)));
        }
        paths.retain(|other| other == path || self.exclude.pattern_for(other, false).is_none());
        (paths.len() > 1).then(|| paths.into_iter().collect())
    }

    /// The path to tell of the file at `path`: the bytewise smallest of all that it has.
    pub fn canonical<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        match self
            .paths_of(path)
            .and_then(|paths| paths.into_iter().next())
        {
            Some(first) => Cow::Owned(first),
            None => Cow::Borrowed(path),
        }
    }
}
