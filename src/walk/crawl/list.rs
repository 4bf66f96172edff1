//! Listing one directory, and dividing what it holds over the threads.

use super::super::directory::Directory;
use super::super::join;
use super::super::links::Links;
use super::super::listing::{EntryKind, Names};
use super::{Crawl, Visitor, gap};
use rayon::Scope as Tasks;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, RawDir, readlinkat, statat};
use rustix::io::Errno;
use std::ffi::CStr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// Names that are handed to another thread at once.
const FILES_AT_ONCE: usize = 256;
/// Sub-directories that one step works off.
const DIRECTORIES_AT_ONCE: usize = 16;
/// Bytes of a directory that are listed at once.
const LISTING_BYTES: usize = 32 * 1024;

/// A directory that is open and being listed.
pub(super) struct Listing<'a> {
    pub(super) directory: &'a Arc<Directory>,
    pub(super) fd: &'a Arc<OwnedFd>,
    /// Paths at which the same directory was listed before: its files were read there.
    pub(super) earlier: Option<Vec<Vec<u8>>>,
}

impl<V: Visitor, F: Fn() -> V + Sync> Crawl<'_, V, F> {
    /// Lists a directory: files are handed to the visitor, here or in further tasks, sub-directories become tasks.
    pub(super) fn list<'s>(
        &'s self,
        tasks: &Tasks<'s>,
        visitor: &mut V,
        listing: &Listing<'_>,
        path: &[u8],
    ) {
        let mut files = Names::default();
        let mut directories = Names::default();
        let mut links = Links::default();
        let within = self.scope.within(path);
        let mut path = path.to_vec();
        if !path.ends_with(b"/") {
            path.push(b'/');
        }
        let base = path.len();
        let mut buffer = Vec::with_capacity(LISTING_BYTES);
        let mut entries = RawDir::new(listing.fd.as_fd(), buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            if self.stopped() {
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(error) => {
                    visitor.gap(gap(path.get(..base).unwrap_or(&path), error));
                    break;
                }
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            path.truncate(base);
            path.extend_from_slice(name.to_bytes());
            if within.is_root(name.to_bytes()) {
                continue;
            }
            // Before anything is asked of it: a dead network mount never answers.
            if let Some(gap) = within.refused(&path, name.to_bytes()) {
                visitor.gap(gap);
                continue;
            }
            let kind = match self.kind(listing, name, entry.file_type()) {
                Ok(kind) => kind,
                Err(error) => {
                    visitor.gap(gap(&path, error));
                    continue;
                }
            };
            match kind {
                EntryKind::Other | EntryKind::Unknown => continue,
                EntryKind::Link => {
                    if let Ok(target) = readlinkat(listing.fd, name, Vec::new()) {
                        links.push(&path, target.as_bytes());
                    }
                    continue;
                }
                EntryKind::File | EntryKind::Directory => {}
            }
            let is_directory = kind == EntryKind::Directory;
            if let Some(gap) = self.scope.excluded(&path, is_directory) {
                visitor.gap(gap);
            } else if is_directory {
                let depth = listing.directory.place.depth.saturating_add(1);
                if let Some(gap) = self.scope.too_deep(&path, depth) {
                    visitor.gap(gap);
                    continue;
                }
                directories.push(name);
                if directories.len() >= DIRECTORIES_AT_ONCE {
                    self.spawn_directories(tasks, listing, std::mem::take(&mut directories));
                }
            } else if self.is_to_read(listing, name) {
                files.push(name);
                if files.len() >= FILES_AT_ONCE {
                    self.share_files(tasks, visitor, listing, std::mem::take(&mut files));
                }
            }
        }
        if !links.is_empty() {
            let all = &self.shared.links;
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&links);
        }
        // Others may begin with these while this thread reads the files.
        if !directories.is_empty() {
            self.spawn_directories(tasks, listing, directories);
        }
        self.files(tasks, visitor, listing.directory, listing.fd, &files);
    }

    /// What an entry is, asked of the file where the listing does not tell.
    fn kind(
        &self,
        listing: &Listing<'_>,
        name: &CStr,
        listed: FileType,
    ) -> Result<EntryKind, Errno> {
        match EntryKind::from(listed) {
            EntryKind::Unknown => {
                let stat = statat(listing.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
                Ok(FileType::from_raw_mode(stat.st_mode).into())
            }
            known => Ok(known),
        }
    }

    /// Whether a file was not read at an earlier sight of its directory: in a first sight, or when it was excluded there.
    fn is_to_read(&self, listing: &Listing<'_>, name: &CStr) -> bool {
        let Some(earlier) = &listing.earlier else {
            return true;
        };
        let exclude = &self.scope.exclude;
        !exclude.is_empty()
            && earlier.iter().all(|directory| {
                let path = join(directory, name.to_bytes());
                exclude.pattern_for(&path, false).is_some()
            })
    }

    fn spawn_directories<'s>(&'s self, tasks: &Tasks<'s>, listing: &Listing<'_>, names: Names) {
        let directory = Arc::clone(listing.directory);
        self.shared.handles.keep(&directory, listing.fd);
        tasks.spawn(move |tasks| self.directories(tasks, &directory, &names));
    }

    /// Hands a batch of a large directory to another thread, or works it off here when enough are waiting.
    fn share_files<'s>(
        &'s self,
        tasks: &Tasks<'s>,
        visitor: &mut V,
        listing: &Listing<'_>,
        names: Names,
    ) {
        let waiting = self.shared.waiting.load(Ordering::Relaxed);
        if waiting >= self.shared.visitors.len().saturating_mul(4) {
            self.files(tasks, visitor, listing.directory, listing.fd, &names);
        } else {
            self.spawn_files(tasks, listing.directory, listing.fd, names);
        }
    }

    /// Makes files of one directory a task.
    pub(super) fn spawn_files<'s>(
        &'s self,
        tasks: &Tasks<'s>,
        directory: &Arc<Directory>,
        fd: &Arc<OwnedFd>,
        names: Names,
    ) {
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        let directory = Arc::clone(directory);
        let fd = Arc::clone(fd);
        tasks.spawn(move |tasks| {
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            self.with_visitor(|visitor| self.files(tasks, visitor, &directory, &fd, &names));
        });
    }
}
