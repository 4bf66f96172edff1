//! The files of an object store, opened beneath the host's root without following a link, and read by pread: a file
//! that becomes shorter meanwhile is no more than an error.

use crate::archives::git::{Index, Loose, ObjectId, Pack, Shared};
use crate::archives::{Failure, Source};
use crate::walk::{HostRoot, ObjectStore};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Indexes up to this size are held in memory, as each object is asked for several times.
const HELD_MAX: u64 = 32 << 20;
/// More packs of one repository are not opened: each needs a handle.
pub(super) const PACKS_MAX: usize = 400;

/// A file as a source.
pub(super) struct FileSource {
    file: File,
    size: u64,
}

impl FileSource {
    pub(super) fn open(root: &HostRoot, path: &[u8]) -> io::Result<Self> {
        let file = root.open_file(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl Source for FileSource {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

/// What a file of the directory `pack` turned out to be.
pub(super) enum Opened {
    Pack(Pack),
    /// It is not what its name says, for this reason, and so a file like any other.
    Plain(Failure),
}

/// Opens a pack with its index.
pub(super) fn open_pack(root: &HostRoot, pack: &[u8], index: &[u8]) -> Result<Opened, Failure> {
    let index = match open_index(root, index) {
        Ok(index) => index,
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            let detail = "git: a pack without its index";
            return Ok(Opened::Plain(Failure::malformed(detail)));
        }
        Err(other) => return Err(other),
    };
    let source = FileSource::open(root, pack).map_err(Failure::Io)?;
    let source: Shared = Box::new(source);
    match Pack::open(source, index) {
        Ok(pack) => Ok(Opened::Pack(pack)),
        Err(Failure::Io(error)) => Err(Failure::Io(error)),
        Err(other) => Ok(Opened::Plain(other)),
    }
}

fn open_index(root: &HostRoot, path: &[u8]) -> Result<Index, Failure> {
    let file = FileSource::open(root, path).map_err(Failure::Io)?;
    let source: Shared = if file.size <= HELD_MAX {
        let mut bytes = vec![0; usize::try_from(file.size).unwrap_or(0)];
        file.file
            .read_exact_at(&mut bytes, 0)
            .map_err(Failure::Io)?;
        Box::new(bytes)
    } else {
        Box::new(file)
    };
    Index::open(source)
}

/// Objects that have a file of their own, in the store itself and in those that it borrows from.
pub(super) struct LooseFiles<'a> {
    pub(super) root: &'a HostRoot,
    /// The paths of the stores.
    pub(super) stores: Vec<&'a ObjectStore>,
}

impl LooseFiles<'_> {
    /// The path of an object's file in a store.
    pub(super) fn path(store: &ObjectStore, id: &ObjectId) -> Vec<u8> {
        let hex = id.to_string();
        let (first, rest) = hex.split_at_checked(2).unwrap_or_default();
        [&*store.path, b"/", first.as_bytes(), b"/", rest.as_bytes()].concat()
    }

    /// The path at which an object is.
    pub(super) fn find(&self, id: &ObjectId) -> Option<Vec<u8>> {
        let mut paths = self.stores.iter().map(|store| Self::path(store, id));
        paths.find(|path| self.root.open_file(path).is_ok())
    }
}

impl Loose for LooseFiles<'_> {
    fn open(&self, id: &ObjectId) -> Result<Option<Shared>, Failure> {
        for store in &self.stores {
            match FileSource::open(self.root, &Self::path(store, id)) {
                Ok(file) => return Ok(Some(Box::new(file))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::Io(error)),
            }
        }
        Ok(None)
    }
}
