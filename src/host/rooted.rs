//! Reading a host's own metadata beneath its root, and nowhere else.
//!
//! Every open is resolved by the kernel as if the root were `/` (`openat2(2)`, `RESOLVE_IN_ROOT`), so that a
//! link such as `etc/passwd -> /etc/shadow` in a mounted image leads into that image and never out of it.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Attempts at a resolution that the kernel breaks off because a rename came between (`EAGAIN`).
const ATTEMPTS: usize = 8;

/// A host's root directory, opened once.
#[derive(Debug)]
pub(super) struct Rooted {
    /// Absent when the root could not be opened: then nothing is known of the host.
    root: Option<OwnedFd>,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(pub(super) Vec<u8>);

impl Rooted {
    /// Opens the root itself; a root that is no directory knows nothing.
    pub(super) fn open_root(root: &Path) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Self {
            root: rustix::fs::open(root, flags, Mode::empty()).ok(),
        }
    }

    /// Opens a regular file for reading; nothing else is ever opened.
    pub(super) fn open(&self, path: &[u8]) -> Option<File> {
        // Looked at first without opening: a FIFO or a device must not even be opened.
        let seen = self.resolve(path, OFlags::PATH)?;
        if file_type(&seen)? != FileType::RegularFile {
            return None;
        }
        let fd = self.resolve_quietly(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        (file_type(&fd)? == FileType::RegularFile).then(|| File::from(fd))
    }

    /// The whole content of a regular file of at most `limit` bytes; a larger one is not read at all, as half
    /// of a list would make wrong facts.
    pub(super) fn read(&self, path: &[u8], limit: u64) -> Option<Vec<u8>> {
        let file = self.open(path)?;
        let past = limit.checked_add(1)?;
        // With room for all of it and a byte more, two calls read a file; a host has thousands of package lists.
        let size = file.metadata().map_or(0, |facts| facts.len()).min(limit);
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?.checked_add(1)?);
        let read = file.take(past).read_to_end(&mut bytes).ok()?;
        (u64::try_from(read).ok()? <= limit).then_some(bytes)
    }

    /// The names in a directory without `.` and `..`, sorted; none if there are more than `limit`.
    pub(super) fn names(&self, path: &[u8], limit: usize) -> Option<Vec<Name>> {
        let fd = self.resolve_quietly(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(fd).ok()? {
            let entry = entry.ok()?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() >= limit {
                return None;
            }
            names.push(Name(name.to_vec()));
        }
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Some(names)
    }

    /// What `fstat` says of a path, links in the last component not followed.
    pub(super) fn stat(&self, path: &[u8]) -> Option<Stat> {
        let fd = self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        rustix::fs::fstat(fd).ok()
    }

    /// Whether a path leads to a regular file or a directory.
    pub(super) fn exists(&self, path: &[u8]) -> bool {
        self.resolve(path, OFlags::PATH).is_some()
    }

    /// The target of a symbolic link, as written.
    pub(super) fn link_target(&self, path: &[u8]) -> Option<Vec<u8>> {
        let fd = self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let target = rustix::fs::readlinkat(fd, c"", Vec::new()).ok()?;
        Some(target.into_bytes())
    }

    /// Resolves without touching the access time, where that is permitted (owner or `CAP_FOWNER`).
    fn resolve_quietly(&self, path: &[u8], flags: OFlags) -> Option<OwnedFd> {
        self.resolve(path, flags | OFlags::NOATIME)
            .or_else(|| self.resolve(path, flags))
    }

    fn resolve(&self, path: &[u8], flags: OFlags) -> Option<OwnedFd> {
        let root = self.root.as_ref()?;
        let flags = flags | OFlags::CLOEXEC;
        let relative = match path.strip_prefix(b"/").unwrap_or(path) {
            [] => b".",
            relative => relative,
        };
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..ATTEMPTS {
            match rustix::fs::openat2(root, relative, flags, Mode::empty(), how) {
                Ok(fd) => return Some(fd),
                Err(Errno::AGAIN) => {}
                Err(Errno::NOSYS) => return step_by_step(root, relative, flags),
                Err(_) => return None,
            }
        }
        None
    }
}

/// For kernels before 5.6: component by component, no symbolic link followed anywhere.
fn step_by_step(root: &OwnedFd, relative: &[u8], flags: OFlags) -> Option<OwnedFd> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = root.try_clone().ok()?;
    let mut components = relative
        .split(|&b| b == b'/')
        .filter(|c| !c.is_empty() && *c != b".")
        .peekable();
    if components.peek().is_none() {
        return rustix::fs::openat(&at, c".", flags, Mode::empty()).ok();
    }
    while let Some(component) = components.next() {
        if component == b".." {
            return None;
        }
        let (how, last) = match components.peek() {
            Some(_) => (directory, false),
            None => (flags | OFlags::NOFOLLOW, true),
        };
        let next = rustix::fs::openat(&at, OsStr::from_bytes(component), how, Mode::empty());
        at = next.ok()?;
        if last {
            return Some(at);
        }
    }
    None
}

fn file_type(fd: &impl AsFd) -> Option<FileType> {
    let stat = rustix::fs::statat(fd, c"", AtFlags::EMPTY_PATH).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::write(outer.path().join("secret"), "outside").unwrap();
        std::fs::write(root.join("secret"), "inside").unwrap();
        symlink("/secret", root.join("etc/absolute")).unwrap();
        symlink("../../secret", root.join("etc/upward")).unwrap();
        symlink("loop", root.join("etc/loop")).unwrap();
        outer
    }

    #[test]
    fn links_stay_inside_the_root() {
        let outer = tree();
        let rooted = Rooted::open_root(&outer.path().join("root"));
        assert_eq!(rooted.read(b"/etc/absolute", 64).unwrap(), b"inside");
        assert_eq!(rooted.read(b"etc/upward", 64).unwrap(), b"inside");
        assert_eq!(rooted.read(b"../secret", 64).unwrap(), b"inside");
        assert_eq!(rooted.read(b"etc/loop", 64), None);
        assert_eq!(rooted.link_target(b"etc/absolute").unwrap(), b"/secret");
    }

    #[test]
    fn old_kernels_follow_no_link() {
        let outer = tree();
        let rooted = Rooted::open_root(&outer.path().join("root"));
        let root = rooted.root.as_ref().unwrap();
        assert!(step_by_step(root, b"etc/absolute", OFlags::RDONLY).is_none());
        assert!(step_by_step(root, b"../secret", OFlags::RDONLY).is_none());
        assert!(step_by_step(root, b"secret", OFlags::RDONLY).is_some());
    }

    #[test]
    fn fifos_and_large_files_are_not_read() {
        let outer = tree();
        let root = outer.path().join("root");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        let rooted = Rooted::open_root(&root);
        assert!(rooted.open(b"fifo").is_none());
        assert!(rooted.open(b"etc").is_none());
        assert_eq!(rooted.read(b"secret", 5), None);
        assert_eq!(rooted.names(b"", 1), None);
        assert_eq!(rooted.names(b"/", 9).unwrap().len(), 3);
    }

    #[test]
    fn no_root_means_no_knowledge() {
        let rooted = Rooted::open_root(Path::new("/nonexistent/root"));
        assert!(rooted.read(b"etc/passwd", 64).is_none());
        assert!(!rooted.exists(b""));
    }
}
