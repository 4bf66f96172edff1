//! The names of a layer's entries, in eight bytes each, and what they remove from the layers beneath (OCI image
//! specification, "Image Layer Filesystem Changeset").

use crate::model::Removed;
use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _, RandomState};

/// An empty file of this name before another name deletes the other.
const WHITEOUT: &[u8] = b".wh.";
/// In a directory, it deletes all that lower layers have there.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// How names become numbers: with a key of its own for each run, so that no layer can be made to look like another.
#[derive(Debug, Clone, Default)]
pub struct Naming(RandomState);

/// The entries of one layer.
#[derive(Debug, Default)]
pub struct Names(Vec<u64>);

impl Names {
    /// How many bytes each name takes.
    pub const EACH: usize = size_of::<u64>();

    /// Takes in an entry; the name of a directory ends with a slash.
    pub fn add(&mut self, naming: &Naming, name: &[u8]) {
        let mut hasher = naming.0.build_hasher();
        components(name).for_each(|part| enter(&mut hasher, part));
        let is_directory = name.ends_with(b"/");
        self.0.push(if is_directory {
            directory(&hasher)
        } else {
            hasher.finish()
        });
    }

    /// Takes in another archive of the same layer.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Must be called before [`Self::removes`] is.
    pub fn seal(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
        self.0.shrink_to_fit();
    }

    /// Whether this layer removes what a lower one has at this path.
    pub fn removes(&self, naming: &Naming, path: &[u8]) -> Option<Removed> {
        let mut hasher = naming.0.build_hasher();
        let mut removed = None;
        let mut parts = components(path).peekable();
        while let Some(part) = parts.next() {
            let whiteout = [WHITEOUT, part].concat();
            if self.has(below(&hasher, OPAQUE)) || self.has(below(&hasher, &whiteout)) {
                removed = Some(Removed::Deleted);
            }
            enter(&mut hasher, part);
            let is_here = self.has(hasher.finish());
            if parts.peek().is_none() && (is_here || self.has(directory(&hasher))) {
                removed = Some(Removed::Replaced);
            } else if is_here {
                // A file or link in place of a directory above it.
                removed = Some(Removed::Deleted);
            }
        }
        removed
    }

    fn has(&self, hash: u64) -> bool {
        self.0.binary_search(&hash).is_ok()
    }
}

fn components(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
}

fn enter(hasher: &mut DefaultHasher, part: &[u8]) {
    hasher.write(part);
    hasher.write_u8(b'/');
}

fn below(hasher: &DefaultHasher, part: &[u8]) -> u64 {
    let mut hasher = hasher.clone();
    enter(&mut hasher, part);
    hasher.finish()
}

/// The number of a directory, which may be where another one is without removing what that holds.
fn directory(hasher: &DefaultHasher) -> u64 {
    below(hasher, b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_and_entries_remove_what_is_beneath() {
        let naming = Naming::default();
        for (entries, path, removed) in [
            (&["./etc/", "etc/b"][..], "etc/a", None),
            (&["etc/.wh.a"], "./etc/a", Some(Removed::Deleted)),
            (&["etc/.wh.a"], "etc/ab", None),
            (&["etc/.wh.a"], "a", None),
            (&["/etc/.wh.a", "etc/a"], "etc/a", Some(Removed::Replaced)),
            (&[".wh.etc"], "etc/ssl/a", Some(Removed::Deleted)),
            (&["etc/.wh..wh..opq"], "etc/ssl/a", Some(Removed::Deleted)),
            (&["etc/.wh..wh..opq"], "etc", None),
            (&[".wh..wh..opq"], "etc/a", Some(Removed::Deleted)),
            (&["etc/a"], "etc/a", Some(Removed::Replaced)),
            (&["etc/a/"], "etc/a", Some(Removed::Replaced)),
            // A link or file where a directory was.
            (&["etc"], "etc/ssl/a", Some(Removed::Deleted)),
            (&["etc/", "etc/ssl/"], "etc/ssl/a", None),
        ] {
            let mut names = Names::default();
            for entry in entries {
                names.add(&naming, entry.as_bytes());
            }
            names.seal();
            let told = names.removes(&naming, path.as_bytes());
            assert_eq!(told, removed, "{entries:?} {path}");
        }
    }
}
