//! Object stores of git repositories: their files are noted for whoever reads a repository as a whole.

use super::super::directory::Directory;
use super::super::{ObjectStore, split_path};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::read;
use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

/// The object stores that a walk met.
#[derive(Debug, Default)]
pub(super) struct Stores {
    met: Mutex<Vec<ObjectStore>>,
}

/// The store in which a directory stands, by its number, and the level of the store's own directory.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct InStore {
    number: usize,
    level: usize,
}

impl Stores {
    /// Notes the directory at `path`, which is open, if it is the object store of a repository.
    pub(super) fn enter(
        &self,
        parent: BorrowedFd<'_>,
        directory: &OwnedFd,
        name: &CStr,
        path: &[u8],
        level: usize,
    ) -> Option<InStore> {
        if name.to_bytes() != b"objects" {
            return None;
        }
        let repository = match split_path(path) {
            Some((above, _)) if is_repository(parent) => Some(above.to_vec()),
            _ if is_directory(directory, c"pack") && is_directory(directory, c"info") => None,
            _ => return None,
        };
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let number = met.len();
        met.push(ObjectStore {
            path: path.to_vec(),
            repository,
            ..ObjectStore::default()
        });
        Some(InStore { number, level })
    }

    /// Notes a file of a store; false if it is no object and no pack, and so a file like any other.
    pub(super) fn keep(&self, place: InStore, directory: &Directory, name: &[u8]) -> bool {
        if directory.place.level != place.level.saturating_add(1) {
            return false;
        }
        let is_pack = &*directory.name == b"pack" && (ends(name, b".pack") || ends(name, b".idx"));
        let is_loose = directory.name.len() == 2
            && matches!(name.len(), 38 | 62)
            && directory.name.iter().chain(name).all(is_hex);
        if !is_pack && !is_loose {
            return false;
        }
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(store) = met.get_mut(place.number) else {
            return false;
        };
        if is_pack {
            store.packs.push(name.to_vec());
        } else {
            store.loose.push(&[&*directory.name, name].concat());
        }
        true
    }

    pub(super) fn into_inner(self) -> Vec<ObjectStore> {
        let mut met = self
            .met
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        met.sort_by(|a, b| a.path.cmp(&b.path));
        met
    }
}

fn ends(name: &[u8], ending: &[u8]) -> bool {
    name.len() > ending.len() && name.ends_with(ending)
}

const fn is_hex(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_directory(at: impl rustix::fd::AsFd, name: &CStr) -> bool {
    statat(at, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// Whether a directory that has `objects` is a repository, as git asks (`is_git_directory` in its setup.c): `refs` is a
/// directory, and `HEAD` names a reference or a commit.
fn is_repository(at: BorrowedFd<'_>) -> bool {
    is_directory(at, c"refs") && is_head(at)
}

fn is_head(at: BorrowedFd<'_>) -> bool {
    // Long ago HEAD was a symbolic link.
    if let Ok(target) = readlinkat(at, c"HEAD", Vec::new()) {
        return target.as_bytes().starts_with(b"refs/");
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(head) = openat(at, c"HEAD", flags | OFlags::NOATIME, Mode::empty())
        .or_else(|_| openat(at, c"HEAD", flags, Mode::empty()))
    else {
        return false;
    };
    let is_file = rustix::fs::fstat(&head)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    let mut start = [0; 128];
    let Some(start) = is_file
        .then(|| read(&head, &mut start[..]).ok())
        .flatten()
        .and_then(|count| start.get(..count))
    else {
        return false;
    };
    let start = start.trim_ascii_end();
    match start.strip_prefix(b"ref:") {
        Some(name) => name.trim_ascii_start().starts_with(b"refs/"),
        None => matches!(start.len(), 40 | 64) && start.iter().all(is_hex),
    }
}
