//! Files that a language's package manager installed, proven by that package's own metadata.
//!
//! One file per ecosystem behind [`Ecosystem`]; a further one is a further line in [`ECOSYSTEMS`]. Proof is the
//! file's digest in the package's metadata. Where an ecosystem keeps no digests (npm, gem, rustup, GOROOT) it is
//! metadata that names this package at this place, and a file not modified since it was written.

mod cargo;
mod conda;
mod gem;
mod git;
mod go;
mod jvm;
mod npm;
mod pip;
mod rustup;
mod snap;
mod tarball;

use super::digest::DigestKind;
use super::index::{Digests, FileIndex, Standing};
use super::rooted::Rooted;
use arcstr::ArcStr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A language's package manager.
trait Ecosystem: Sync {
    /// What the metadata around the file says of it; none if it is no file of this ecosystem.
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing>;
}

static ECOSYSTEMS: &[&dyn Ecosystem] = &[
    &cargo::Registry,
    &cargo::Vendored,
    &cargo::GitCheckout,
    &cargo::Crate,
    &pip::Pip,
    &conda::Conda,
    &npm::Npm,
    &npm::Cache,
    &go::Module,
    &go::ModuleZip,
    &go::Toolchain,
    &gem::Gem,
    &jvm::Maven,
    &jvm::Gradle,
    &rustup::Rustup,
    &snap::Snap,
];

/// Files known by all cached manifests together (32 MB); beyond it the cache starts afresh.
const MOST_CACHED: usize = 1_000_000;
/// A manifest weighs at least as much as this many files, so that empty ones are bounded too.
const LEAST_WEIGHT: usize = 8;

/// Seconds by which a file may be newer than the metadata that was written at the end of its installation: copies of
/// a tree do not keep the order.
const SLACK: i64 = 3600;

/// The manifests of the package roots seen so far.
#[derive(Default)]
pub(super) struct Dependencies {
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    manifests: HashMap<(&'static str, Vec<u8>), Arc<OnceLock<FileIndex>>>,
    weight: usize,
}

impl Dependencies {
    /// What dependency metadata says of the file at an absolute path.
    pub(super) fn prove(
        &self,
        rooted: &Rooted,
        path: &[u8],
        digests: Digests<'_>,
    ) -> Option<Standing> {
        let mut listed = None;
        let mut question = Question {
            rooted,
            path,
            digests,
            dependencies: self,
        };
        for ecosystem in ECOSYSTEMS {
            match ecosystem.prove(&mut question) {
                Some(Standing::Proven(package)) => return Some(Standing::Proven(package)),
                Some(standing) => listed = listed.or(Some(standing)),
                None => {}
            }
        }
        listed
    }

    /// The manifest of a package root, made once. Threads that need the same one wait for it, others do not.
    fn manifest(
        &self,
        ecosystem: &'static str,
        root: &[u8],
        make: impl FnOnce(&mut FileIndex),
    ) -> Arc<OnceLock<FileIndex>> {
        let cell = {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                cache
                    .manifests
                    .entry((ecosystem, root.to_vec()))
                    .or_default(),
            )
        };
        let mut made = None;
        cell.get_or_init(|| {
            let mut index = FileIndex::default();
            make(&mut index);
            let index = index.finish();
            made = Some(index.len().max(LEAST_WEIGHT));
            index
        });
        if let Some(weight) = made {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.weight = cache.weight.saturating_add(weight);
            if cache.weight > MOST_CACHED {
                *cache = Cache::default();
            }
        }
        cell
    }
}

/// One file whose origin is in question.
struct Question<'a> {
    rooted: &'a Rooted,
    /// Absolute.
    path: &'a [u8],
    digests: Digests<'a>,
    dependencies: &'a Dependencies,
}

impl<'a> Question<'a> {
    /// Looks `relative` up in the manifest of the package root `root`.
    fn look(
        &mut self,
        ecosystem: &'static str,
        root: &[u8],
        relative: &[u8],
        make: impl FnOnce(&Rooted, &mut FileIndex),
    ) -> Option<Standing> {
        let rooted = self.rooted;
        let manifest = self
            .dependencies
            .manifest(ecosystem, root, |index| make(rooted, index));
        manifest.get()?.look(relative, self.digests)
    }

    /// The directories above the file, nearest first, each with the file's path relative to it.
    fn ancestors(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let path = self.path;
        let mut end = path.len();
        std::iter::from_fn(move || {
            end = path.get(..end)?.iter().rposition(|&b| b == b'/')?;
            Some((path.get(..end)?, path.get(end.checked_add(1)?..)?))
        })
        .take_while(|(directory, _)| !directory.is_empty())
    }

    /// Splits the path behind `marker`, as `/registry/src/`, at its last occurrence: what leads up to and
    /// includes the marker, and the rest.
    fn after(&self, marker: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        let at = memchr::memmem::rfind(self.path, marker)?.checked_add(marker.len())?;
        self.path.split_at_checked(at)
    }

    /// Proven if the file is not newer than the metadata written when its package was installed.
    fn unmodified_since(&self, metadata: &[u8], package: ArcStr) -> Standing {
        let modified = |path: &[u8]| self.rooted.stat(path).map(|stat| stat.st_mtime);
        match (modified(self.path), modified(metadata)) {
            (Some(file), Some(written)) if file <= written.saturating_add(SLACK) => {
                Standing::Proven(package)
            }
            _ => Standing::Listed(package),
        }
    }

    /// Proven if a digest of the file is as expected.
    fn proven_by(&mut self, kind: DigestKind, expected: &[u8], package: ArcStr) -> Standing {
        if (self.digests)(kind).is_some_and(|actual| actual == expected) {
            Standing::Proven(package)
        } else {
            Standing::Listed(package)
        }
    }
}

/// Splits the first component off a relative path.
fn first(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().position(|&b| b == b'/')?;
    Some((path.get(..slash)?, path.get(slash.checked_add(1)?..)?))
}

/// Splits `md-5-0.11.0` into name and version: at the first dash before a number with a dot.
fn name_and_version(directory: &str) -> Option<(&str, &str)> {
    directory.match_indices('-').find_map(|(at, _)| {
        let (name, version) = (directory.get(..at)?, directory.get(at.checked_add(1)?..)?);
        let number = version.split('-').next()?;
        (number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.'))
            .then_some((name, version))
    })
}

/// `manager:name@version` of such a directory name.
fn package_of(manager: &str, directory: &[u8]) -> Option<String> {
    let (name, version) = name_and_version(std::str::from_utf8(directory).ok()?)?;
    Some(format!("{manager}:{name}@{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_names() {
        assert_eq!(name_and_version("md-5-0.11.0"), Some(("md-5", "0.11.0")));
        assert_eq!(name_and_version("a-1.0.0-rc.1"), Some(("a", "1.0.0-rc.1")));
        assert_eq!(
            name_and_version("nokogiri-1.15.0-x86_64-linux"),
            Some(("nokogiri", "1.15.0-x86_64-linux"))
        );
        assert_eq!(name_and_version("plain"), None);
        assert_eq!(name_and_version("-"), None);
    }

    #[test]
    fn ancestors_nearest_first() {
        let rooted = Rooted::open_root(std::path::Path::new("/nonexistent"));
        let dependencies = Dependencies::default();
        let question = Question {
            rooted: &rooted,
            path: b"/a/b/c",
            digests: &mut |_| None,
            dependencies: &dependencies,
        };
        let ancestors: Vec<_> = question.ancestors().collect();
        assert_eq!(ancestors, [(&b"/a/b"[..], &b"c"[..]), (b"/a", b"b/c")]);
    }

    #[test]
    fn the_cache_is_bounded() {
        let dependencies = Dependencies::default();
        for n in 0..MOST_CACHED / LEAST_WEIGHT + 2 {
            dependencies.manifest("test", &n.to_le_bytes(), |_| {});
        }
        assert!(dependencies.cache.lock().unwrap().manifests.len() < 10);
    }
}
