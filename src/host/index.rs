//! Which package a file belongs to and what digest it should have, in 32 bytes a file.
//!
//! Paths are kept as 64-bit hashes. Two paths with one hash cost nothing: a file is proven only by its
//! digest, of which the first 128 bits are kept.

use super::digest::DigestKind;
use arcstr::ArcStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The most files that one index holds (64 MB).
const MOST_FILES: usize = 2_000_000;

/// Files of some packages.
#[derive(Debug, Default)]
pub(super) struct FileIndex {
    packages: Vec<ArcStr>,
    /// Sorted by path hash.
    files: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    path: u64,
    package: u32,
    digest: Option<(DigestKind, [u8; 16])>,
}

/// What package metadata says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It belongs to the package and has its digest.
    Proven(ArcStr),
    /// It belongs to the package; its digest differs or is not recorded.
    Listed(ArcStr),
}

/// Asks for a digest of the file in question, which is computed then.
pub(super) type Digests<'a> = &'a mut dyn FnMut(DigestKind) -> Option<Vec<u8>>;

impl FileIndex {
    /// Adds a package; its number is used with [`Self::file`]. None when there are too many.
    pub(super) fn package(&mut self, name: &str) -> Option<u32> {
        let number = u32::try_from(self.packages.len()).ok()?;
        self.packages.push(ArcStr::from(name));
        Some(number)
    }

    /// Adds a file of a package, with its digest where one is recorded.
    pub(super) fn file(&mut self, package: u32, path: &[u8], digest: Option<(DigestKind, &[u8])>) {
        if self.files.len() >= MOST_FILES {
            return;
        }
        let digest = digest.and_then(|(kind, bytes)| Some((kind, *bytes.first_chunk::<16>()?)));
        self.files.push(Entry {
            path: hash(path),
            package,
            digest,
        });
    }

    /// Sorts; to be called once, after the last file.
    pub(super) fn finish(mut self) -> Self {
        self.files.sort_unstable();
        self.files.dedup();
        self.files.shrink_to_fit();
        self
    }

    /// Number of files.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// What the index says of a path.
    pub(super) fn look(&self, path: &[u8], digests: Digests<'_>) -> Option<Standing> {
        let path = hash(path);
        let start = self.files.partition_point(|entry| entry.path < path);
        let mut listed = None;
        for entry in self
            .files
            .iter()
            .skip(start)
            .take_while(|entry| entry.path == path)
        {
            let package = usize::try_from(entry.package)
                .ok()
                .and_then(|i| self.packages.get(i))?;
            if let Some((kind, expected)) = entry.digest
                && digests(kind).is_some_and(|actual| actual.starts_with(&expected))
            {
                return Some(Standing::Proven(ArcStr::clone(package)));
            }
            listed.get_or_insert(package);
        }
        listed.map(|package| Standing::Listed(ArcStr::clone(package)))
    }
}

fn hash(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> FileIndex {
        let mut index = FileIndex::default();
        let a = index.package("a").unwrap();
        let b = index.package("b").unwrap();
        index.file(a, b"/x", Some((DigestKind::Md5, &[1; 16])));
        index.file(b, b"/x", Some((DigestKind::Sha256, &[2; 32])));
        index.file(b, b"/y", None);
        index.file(b, b"/z", Some((DigestKind::Md5, &[1; 3])));
        index.finish()
    }

    #[test]
    fn proven_by_any_of_its_packages() {
        let mut of = |kind| (kind == DigestKind::Sha256).then(|| vec![2; 32]);
        assert_eq!(
            index().look(b"/x", &mut of),
            Some(Standing::Proven("b".into()))
        );
        let mut other = |_| Some(vec![3; 32]);
        assert_eq!(
            index().look(b"/x", &mut other),
            Some(Standing::Listed("a".into()))
        );
    }

    #[test]
    fn without_digest_only_listed() {
        let mut of = |_| Some(vec![1; 16]);
        assert_eq!(
            index().look(b"/y", &mut of),
            Some(Standing::Listed("b".into()))
        );
        assert_eq!(
            index().look(b"/z", &mut of),
            Some(Standing::Listed("b".into()))
        );
        assert_eq!(index().look(b"/w", &mut of), None);
    }
}
