//! Yields sources and bytes: directory crawl, scope and mounts, bounded reading.
//!
//! [`walk`] divides the tree over threads, a directory a task, and hands each regular file, open, to the visitor of the thread
//! that met it. Everything is opened relative to a handle of the host's root without following a link, so a directory
//! that is swapped for a link meanwhile is refused. What cannot be read is told as a [`Gap`], and so is what is left
//! out: pseudo, network and FUSE file systems, and what the options exclude.
//!
//! A file that is met again, through a hard link, a bind mount or an overlay, is read once; [`Aliases`] tells all its
//! paths after the walk. Which of them a visitor sees depends on the threads.

mod access_time;
mod aliases;
mod crawl;
mod directory;
mod exclude;
mod filesystems;
mod host_root;
mod links;
mod listing;
mod mounts;
mod object_store;
mod open_file;
mod overlaid;
mod same_file;
mod scope;
mod survey;
mod tree;

pub use aliases::Aliases;
pub use directory::{Directory, DirectoryFacts};
pub use host_root::HostRoot;
pub use links::Links;
pub use object_store::{LooseNames, ObjectStore};
pub use open_file::{Facts, OpenFile};
pub use overlaid::Overlaid;
pub use survey::{Survey, survey};
pub use tree::DirectoryId;

use crate::model::Gap;
use rustix::fs::{FileType, Stat};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What is walked, and how.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Threads; 0 is one for each processor.
    pub jobs: usize,
    /// Patterns of paths to leave out: without `/` they match names at any depth; with `/` whole paths, from the root
    /// when they begin with it. `*` does not cross `/`, `**` does; a final `/` matches directories only.
    pub exclude: Vec<String>,
    /// How many levels of directories to list below each root: 1 lists only the roots themselves.
    pub max_depth: Option<usize>,
    /// Whether to stay on the file system of each root.
    pub one_file_system: bool,
    /// Whether to enter network file systems. A root that is named on one is walked in any case.
    pub network_mounts: bool,
    /// Whether to enter FUSE file systems. A root that is named on one is walked in any case.
    pub fuse: bool,
    /// Device and inode numbers of files that are never read nor told: the outputs of this very run.
    pub never: Vec<(u64, u64)>,
    /// Set from elsewhere to end the walk soon.
    pub stop: Arc<AtomicBool>,
}

/// What is done with the files: one for each thread.
pub trait Visitor: Send {
    /// A regular file, open for reading.
    fn file(&mut self, file: &OpenFile<'_>);

    /// Something that was not read, with the reason.
    fn gap(&mut self, gap: Gap);
}

/// How far a walk is, for those who watch it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Directories listed.
    pub directories: AtomicU64,
    /// Regular files handed to a visitor.
    pub files: AtomicU64,
    /// Bytes read; the visitors count them.
    pub bytes: AtomicU64,
    current: Mutex<Vec<u8>>,
}

impl Progress {
    /// The directory that was entered last, by any thread.
    pub fn current_directory(&self) -> Vec<u8> {
        match self.current.lock() {
            Ok(current) => current.clone(),
            Err(_) => Vec::new(),
        }
    }

    fn enter(&self, path: &[u8]) {
        self.directories.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut current) = self.current.try_lock() {
            current.clear();
            current.extend_from_slice(path);
        }
    }
}

/// What remains after a walk.
#[derive(Debug)]
pub struct Outcome<V> {
    /// The visitors with what they gathered: at least one.
    pub visitors: Vec<V>,
    /// Directories listed.
    pub directories: u64,
    /// Regular files handed to a visitor.
    pub files: u64,
    /// All paths of files that were met more than once.
    pub aliases: Aliases,
    /// Symbolic links that were met.
    pub links: Links,
    /// Object stores of git repositories, sorted by their paths: their files were counted, not opened.
    pub object_stores: Vec<ObjectStore>,
    /// Whether the kernel refused to leave some access times alone.
    pub noatime_refused: bool,
    /// Whether the stop flag ended it.
    pub stopped: bool,
}

/// Why a walk could not begin.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// An exclude pattern is no glob.
    #[error("exclude pattern `{pattern}`: {reason}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The threads could not be started.
    #[error("cannot start the walk's threads: {0}")]
    Threads(String),
}

/// Walks the roots, absolute paths as the host sees them, and hands each regular file to a visitor that `make` made.
///
/// Links in the roots themselves are followed inside the host, as the user named them. A root beneath another is
/// walked once. Gaps of a root that does not exist are told as `io_error`.
///
/// # Errors
/// Before anything is read: when a pattern is wrong, or when there are no threads to be had.
pub fn walk<V: Visitor>(
    host: &HostRoot,
    roots: &[Vec<u8>],
    options: &WalkOptions,
    progress: &Progress,
    make: impl Fn() -> V + Sync,
) -> Result<Outcome<V>, WalkError> {
    let crawl = crawl::Crawl::new(host, options, progress, &make, crawl::Content::Read)?;
    crawl.run(roots)
}

/// The components of a path, without empty ones and `.`.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/')
        .filter(|component| !component.is_empty() && *component != b".")
}

/// The parent of an absolute path and its last component; none for `/`.
fn split_path(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = memchr::memrchr(b'/', path)?;
    let (parent, name) = path.split_at(slash);
    let name = name.get(1..).filter(|name| !name.is_empty())?;
    Some((if parent.is_empty() { b"/" } else { parent }, name))
}

/// A directory's path and a name in it.
fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len().saturating_add(name.len()).saturating_add(1));
    path.extend_from_slice(directory);
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}
