//! A directory on the way from the host's root, as its files and sub-directories need it.

use super::crawl::InStore;
use super::host_root::HostRoot;
use super::tree::DirectoryId;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{OFlags, Stat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A directory on the way from the host's root to a file.
///
/// It knows its parent, not its path: a chain of a thousand levels costs a thousand names, not a thousand paths.
#[derive(Debug)]
pub struct Directory {
    pub(super) id: DirectoryId,
    pub(super) parent: Option<Arc<Directory>>,
    pub(super) name: Box<[u8]>,
    pub(super) facts: DirectoryFacts,
    pub(super) place: Place,
    handle: Mutex<Option<Arc<OwnedFd>>>,
}

/// What `fstat` says of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// Permission bits with set-id and sticky bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// Where a directory stands in the walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Levels below the named root that it was reached from.
    pub(super) depth: usize,
    /// Levels below the host's root.
    pub(super) level: usize,
    /// The device of the named root.
    pub(super) root_dev: u64,
    /// Whether device and inode number tell files apart here (not so on FUSE and network file systems).
    pub(super) identifiable: bool,
    /// Whether each file here may be seen again through an overlay.
    pub(super) layered: bool,
    /// The object store of a git repository in which it stands.
    pub(super) store: Option<InStore>,
}

impl Directory {
    pub(super) fn new(
        id: DirectoryId,
        parent: Option<Arc<Self>>,
        name: &[u8],
        stat: &Stat,
        place: Place,
    ) -> Self {
        Self {
            id,
            parent,
            name: name.into(),
            facts: DirectoryFacts {
                mode: stat.st_mode & 0o7777,
                uid: stat.st_uid,
                gid: stat.st_gid,
                dev: stat.st_dev,
                ino: stat.st_ino,
            },
            place,
            handle: Mutex::new(None),
        }
    }

    /// A number that no other directory of this walk has: to remember what was worked out for a directory.
    pub fn id(&self) -> DirectoryId {
        self.id
    }

    /// Owner, permissions and identity.
    pub fn facts(&self) -> &DirectoryFacts {
        &self.facts
    }

    /// The directory that holds it; none for the host's root.
    pub fn parent(&self) -> Option<&Self> {
        self.parent.as_deref()
    }

    /// This directory and all above it, the host's root last.
    pub fn ancestors(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |directory| directory.parent())
    }

    /// Its absolute path as the host sees it.
    pub fn path(&self) -> Vec<u8> {
        let names: Vec<&[u8]> = self.ancestors().map(|d| &*d.name).collect();
        let mut path = Vec::new();
        // The last is the host's root, which has no name.
        for name in names.iter().rev().skip(1) {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path
    }

    fn handle(&self) -> Option<Arc<OwnedFd>> {
        self.handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_handle(&self, handle: Option<Arc<OwnedFd>>) {
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // One after the other: the drop of a long chain must not need a stack as deep as the tree.
        let mut next = self.parent.take();
        while let Some(mut directory) = next.and_then(Arc::into_inner) {
            next = directory.parent.take();
        }
    }
}

/// The handles of directories whose sub-directories still wait: a limited number, the oldest given up first.
#[derive(Debug)]
pub(super) struct Handles {
    limit: usize,
    kept: Mutex<VecDeque<Weak<Directory>>>,
}

impl Handles {
    pub(super) fn new() -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.and_then(|n| usize::try_from(n / 4).ok());
        Self::with_limit(limit.unwrap_or(256).clamp(4, 256))
    }

    /// Keeps at most so many.
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            kept: Mutex::new(VecDeque::new()),
        }
    }

    /// Keeps the handle of a directory, for its sub-directories to be opened from.
    pub(super) fn keep(&self, directory: &Arc<Directory>, handle: &Arc<OwnedFd>) {
        directory.set_handle(Some(Arc::clone(handle)));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(Arc::downgrade(directory));
        while kept.len() > self.limit {
            let oldest = kept.pop_front().and_then(|weak| weak.upgrade());
            if let Some(oldest) = oldest {
                oldest.set_handle(None);
            }
        }
    }

    /// Gives up all handles: the process has no more to spare.
    pub(super) fn give_up(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for directory in kept.drain(..).filter_map(|weak| weak.upgrade()) {
            directory.set_handle(None);
        }
    }

    /// The handle of a directory; opened again from the nearest one above it that is still open.
    pub(super) fn of(
        &self,
        host: &HostRoot,
        directory: &Arc<Directory>,
    ) -> Result<Arc<OwnedFd>, Errno> {
        if let Some(handle) = directory.handle() {
            return Ok(handle);
        }
        let mut closed: Vec<&Arc<Directory>> = vec![directory];
        let mut base = None;
        let mut next = directory.parent.as_ref();
        while let Some(above) = next {
            base = above.handle();
            if base.is_some() {
                break;
            }
            closed.push(above);
            next = above.parent.as_ref();
        }
        if base.is_none() {
            // The host's root itself stands last and has no name.
            closed.pop();
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        for group in closed.rchunks(PIECE_LEVELS) {
            let names: Vec<&[u8]> = group.iter().rev().map(|d| &*d.name).collect();
            let relative = names.join(&b'/');
            let at: BorrowedFd<'_> = base.as_ref().map_or(host.handle(), |fd| fd.as_fd());
            let handle = Arc::new(host.open_beneath(at, &relative, flags)?);
            if let Some(reached) = group.first() {
                self.keep(reached, &handle);
            }
            base = Some(handle);
        }
        match base {
            Some(handle) => Ok(handle),
            None => Ok(Arc::new(host.open_path(b"/", flags)?)),
        }
    }
}

/// How many levels are opened again at once; the handle of each such step is kept.
const PIECE_LEVELS: usize = 128;
