//! What an upper directory of an overlay file system has at a path (the kernel's Documentation/filesystems/overlayfs.rst).

use super::HostRoot;
use rustix::fs::{FileType, OFlags, fgetxattr};

/// What stands at a path of an upper directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlaid {
    /// Nothing: what is beneath shows.
    Nothing,
    /// A character device of number 0:0: what is beneath is deleted.
    Whiteout,
    /// A directory, which shows what is beneath too unless it is opaque.
    Directory {
        /// Whether nothing beneath shows.
        opaque: bool,
    },
    /// A file, link or the like.
    Other,
}

/// Attributes by which a directory is opaque: of the kernel, of a mount by a user, of fuse-overlayfs.
const OPAQUE: &[&str] = &[
    "trusted.overlay.opaque",
    "user.overlay.opaque",
    "user.fuseoverlayfs.opaque",
];

impl HostRoot {
    /// What stands at an absolute path of an upper directory; no link is followed. What cannot be asked counts as nothing.
    pub fn overlaid(&self, path: &[u8]) -> Overlaid {
        let Ok(stat) = self.stat(path) else {
            return Overlaid::Nothing;
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::CharacterDevice if stat.st_rdev == 0 => Overlaid::Whiteout,
            FileType::Directory => Overlaid::Directory {
                opaque: self.is_opaque(path),
            },
            _ => Overlaid::Other,
        }
    }

    fn is_opaque(&self, path: &[u8]) -> bool {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK;
        let Ok(directory) = self.open_path(path, flags) else {
            return false;
        };
        OPAQUE.iter().any(|name| {
            let mut value = [0u8; 1];
            fgetxattr(&directory, *name, &mut value[..]).is_ok_and(|count| count == 1)
                && value == *b"y"
        })
    }
}
