//! Opening files for the visitor, each only once.

use super::super::directory::Directory;
use super::super::listing::Names;
use super::super::same_file::{FileSight, Known};
use super::super::{Facts, OpenFile, join};
use super::{Content, Crawl, Visitor, gap};
use crate::model::{Gap, GapReason};
use rayon::Scope as Tasks;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Bytes from which on a file is worth a thread of its own.
const LARGE: u64 = 8 << 20;

impl<V: Visitor, F: Fn() -> V + Sync> Crawl<'_, V, F> {
    /// Hands files of one directory to the visitor. Those behind a large one become another thread's, as reading it takes
    /// longer than all of them may.
    pub(super) fn files<'s>(
        &'s self,
        tasks: &Tasks<'s>,
        visitor: &mut V,
        directory: &Arc<Directory>,
        fd: &Arc<OwnedFd>,
        names: &Names,
    ) {
        let mut path = join(&directory.path(), b"");
        let mut left = names.iter();
        while let Some(name) = left.next() {
            if self.stopped() {
                return;
            }
            let mut hand_on = || {
                let mut rest = Names::default();
                left.by_ref().for_each(|name| rest.push(name));
                if !rest.is_empty() {
                    self.spawn_files(tasks, directory, fd, rest);
                }
            };
            self.file(
                visitor,
                directory,
                fd.as_fd(),
                &mut path,
                name,
                &mut hand_on,
            );
        }
    }

    /// Hands one file to the visitor; `before_large` is called before one whose content is large.
    pub(super) fn file(
        &self,
        visitor: &mut V,
        directory: &Arc<Directory>,
        at: BorrowedFd<'_>,
        path: &mut Vec<u8>,
        name: &CStr,
        before_large: &mut dyn FnMut(),
    ) {
        let base = path.len();
        path.extend_from_slice(name.to_bytes());
        match self.content {
            Content::Read if self.is_kept(directory, name) => {
                self.progress.files.fetch_add(1, Ordering::Relaxed);
            }
            Content::Read => self.read(visitor, directory, at, path, name, before_large),
            Content::Count => self.count(visitor, directory, at, path, name),
        }
        path.truncate(base);
    }

    /// Whether a file belongs to an object store, which is read as a whole.
    fn is_kept(&self, directory: &Directory, name: &CStr) -> bool {
        let stores = &self.shared.stores;
        let store = directory.place.store;
        store.is_some_and(|store| stores.keep(store, directory, name.to_bytes()))
    }

    fn read(
        &self,
        visitor: &mut V,
        directory: &Arc<Directory>,
        at: BorrowedFd<'_>,
        path: &[u8],
        name: &CStr,
        before_large: &mut dyn FnMut(),
    ) {
        // One component, relative to the handle of a directory that was reached without links: O_NOFOLLOW says as much
        // here as openat2 would.
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = self.patient(|| {
            self.shared.times.open(directory.facts.uid, |extra| {
                openat(at, name, flags | extra, Mode::empty())
            })
        });
        let found = opened.and_then(|opened| Ok((fstat(&opened.fd)?, opened)));
        let (stat, opened) = match found {
            Ok(found) => found,
            Err(error) => return visitor.gap(gap(path, error)),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            let detail = "became something else than a regular file";
            return visitor.gap(Gap::at(path, GapReason::Vanished, detail));
        }
        if self.is_to_visit(directory, &stat, name) {
            self.shared.times.settle(&opened, stat.st_uid);
            self.progress.files.fetch_add(1, Ordering::Relaxed);
            let facts = Facts::of(&stat);
            if facts.allocated.min(facts.size) >= LARGE {
                before_large();
            }
            visitor.file(&OpenFile {
                fd: opened.fd.as_fd(),
                facts,
                path,
                directory,
            });
        }
    }

    fn count(
        &self,
        visitor: &mut V,
        directory: &Arc<Directory>,
        at: BorrowedFd<'_>,
        path: &[u8],
        name: &CStr,
    ) {
        match statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if self.is_to_visit(directory, &stat, name) => {
                let size = Facts::of(&stat).size;
                self.progress.files.fetch_add(1, Ordering::Relaxed);
                self.progress.bytes.fetch_add(size, Ordering::Relaxed);
            }
            Ok(_) => {}
            Err(error) => visitor.gap(gap(path, error)),
        }
    }

    /// Whether a file is neither one of ours nor one that was met before.
    fn is_to_visit(&self, directory: &Directory, stat: &Stat, name: &CStr) -> bool {
        let identity = (stat.st_dev, stat.st_ino);
        if self.options.never.contains(&identity) {
            return false;
        }
        if !directory.place.identifiable {
            return true;
        }
        let Some(known_by) = self.scope.file_identity(stat, directory.place.layered) else {
            return true;
        };
        let (id, name) = (directory.id, name.to_bytes());
        let files = &self.shared.files;
        let Known::Yes(earlier) = files.sight(known_by, id, name) else {
            return true;
        };
        if self.is_still_there(&earlier, stat) {
            if (earlier.directory, earlier.name.as_slice()) != (id, name) {
                files.again(&earlier, id, name);
            }
            return false;
        }
        files.replaced(known_by, id, name);
        true
    }

    /// Whether the file of an earlier sight still exists: else its inode number may have been given to another.
    fn is_still_there(&self, earlier: &FileSight, now: &Stat) -> bool {
        let path = join(&self.shared.tree.path(earlier.directory), &earlier.name);
        self.host.stat(&path).is_ok_and(|then| {
            // Through an overlay the device differs, and that the rest agrees was seen before.
            then.st_ino == now.st_ino
        })
    }
}
