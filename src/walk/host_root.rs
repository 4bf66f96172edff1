//! The root directory of a host, and opening beneath it without following a link.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat,
    statat,
};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// Longest piece of a path that is opened at once; the kernel's limit is 4,096 bytes (`PATH_MAX`).
const PIECE_BYTES: usize = 3_800;

/// How many links one path may go through, as in the kernel.
pub(super) const MAX_LINKS: usize = 40;

/// No way out: neither `..` above the start, nor a symbolic link, nor a link of `/proc`.
const STRICT: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);

/// The root directory of a host: `/`, or a directory that is taken as another host's root.
///
/// Everything beneath it is opened relative to one handle, and no link is followed: openat2(2), or component by
/// component with `O_NOFOLLOW` where the kernel or a seccomp filter does not offer it.
#[derive(Debug)]
pub struct HostRoot {
    handle: OwnedFd,
    path: PathBuf,
    has_openat2: bool,
}

impl HostRoot {
    /// Opens the directory; links in `path` itself are followed, as the user named it.
    ///
    /// # Errors
    /// When `path` is no directory or cannot be reached.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let path = std::fs::canonicalize(path)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = openat(CWD, &path, flags, Mode::empty())?;
        let has_openat2 = openat2(&handle, c".", flags, Mode::empty(), STRICT).is_ok();
        Ok(Self {
            handle,
            path,
            has_openat2,
        })
    }

    /// The directory as this process sees it, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same root, with openat2(2) left aside.
    #[cfg(test)]
    pub(super) fn without_openat2(mut self) -> Self {
        self.has_openat2 = false;
        self
    }

    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Opens an absolute path of the host without following any link.
    ///
    /// # Errors
    /// Those of openat2(2); `ELOOP` or `ENOTDIR` where a component is a link.
    pub(super) fn open_path(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        self.open_beneath(self.handle(), path, flags)
    }

    /// Opens `relative` (components between slashes) beneath `base` without following any link.
    pub(super) fn open_beneath(
        &self,
        base: BorrowedFd<'_>,
        relative: &[u8],
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut reached: Option<OwnedFd> = None;
        let mut piece: Vec<u8> = Vec::new();
        let mut components = super::components(relative).peekable();
        while let Some(component) = components.next() {
            if component == b".." {
                return Err(Errno::XDEV);
            }
            if !piece.is_empty() {
                piece.push(b'/');
            }
            piece.extend_from_slice(component);
            let more = components
                .peek()
                .map(|next| piece.len().saturating_add(next.len()) < PIECE_BYTES);
            if more == Some(true) && self.has_openat2 {
                continue;
            }
            let at = reached.as_ref().map_or(base, AsFd::as_fd);
            let flags = if more.is_some() { through } else { flags };
            reached = Some(self.open_piece(at, &piece, flags)?);
            piece.clear();
        }
        match reached {
            Some(fd) => Ok(fd),
            None => openat(base, c".", flags, Mode::empty()),
        }
    }

    fn open_piece(
        &self,
        base: BorrowedFd<'_>,
        piece: &[u8],
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        if !self.has_openat2 {
            return openat(base, piece, flags, Mode::empty());
        }
        // EAGAIN: the kernel saw a rename somewhere and could not be sure.
        for _ in 0..16 {
            match openat2(base, piece, flags, Mode::empty(), STRICT) {
                Err(Errno::AGAIN) => {}
                other => return other,
            }
        }
        Err(Errno::AGAIN)
    }

    /// Opens the regular file at an absolute path of the host for reading, without following any link and without
    /// changing its access time where that is permitted.
    ///
    /// # Errors
    /// Those of openat2(2); [`std::io::ErrorKind::InvalidInput`] if it is no regular file.
    pub fn open_file(&self, path: &[u8]) -> std::io::Result<std::fs::File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = match self.open_path(path, flags | OFlags::NOATIME) {
            Err(Errno::PERM) => self.open_path(path, flags)?,
            other => other?,
        };
        if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        Ok(fd.into())
    }

    /// The names in a directory, at an absolute path of the host, and whether each is a directory; files and directories
    /// alone, no link is followed. At most `most`.
    ///
    /// # Errors
    /// Those of openat2(2) and getdents64(2).
    pub fn names(&self, path: &[u8], most: usize) -> std::io::Result<Vec<(Vec<u8>, bool)>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK;
        let fd = match self.open_path(path, flags | OFlags::NOATIME) {
            Err(Errno::PERM) => self.open_path(path, flags)?,
            other => other?,
        };
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let stat = statat(&fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                    FileType::from_raw_mode(stat.st_mode)
                }
                known => known,
            };
            match kind {
                FileType::RegularFile => names.push((name.to_vec(), false)),
                FileType::Directory => names.push((name.to_vec(), true)),
                _ => {}
            }
            if names.len() >= most {
                break;
            }
        }
        names.sort();
        Ok(names)
    }

    /// What stands at an absolute path of the host; links are not followed, nothing is opened for reading.
    pub(super) fn stat(&self, path: &[u8]) -> Result<Stat, Errno> {
        fstat(self.open_path(path, OFlags::PATH)?)
    }

    /// The path of the host that `path` means when its links are followed inside this root.
    ///
    /// # Errors
    /// Those of readlinkat(2); `ELOOP` after forty links.
    pub fn resolve(&self, path: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut budget = MAX_LINKS;
        let mut todo: Vec<Vec<u8>> = super::components(path).map(<[u8]>::to_vec).collect();
        todo.reverse();
        let mut resolved: Vec<u8> = Vec::new();
        while let Some(component) = todo.pop() {
            if component == b".." {
                resolved.truncate(memchr::memrchr(b'/', &resolved).unwrap_or(0));
                continue;
            }
            let parent = resolved.len();
            resolved.push(b'/');
            resolved.extend_from_slice(&component);
            let handle = self.open_path(&resolved, OFlags::PATH)?;
            if !super::is_link(&fstat(&handle)?) {
                continue;
            }
            budget = budget.checked_sub(1).ok_or(Errno::LOOP)?;
            let target = readlinkat(&handle, c"", Vec::new())?.into_bytes();
            resolved.truncate(if target.starts_with(b"/") { 0 } else { parent });
            let next: Vec<Vec<u8>> = super::components(&target).map(<[u8]>::to_vec).collect();
            todo.extend(next.into_iter().rev());
        }
        if resolved.is_empty() {
            resolved.push(b'/');
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn both(root: &Path) -> [HostRoot; 2] {
        let plain = HostRoot::open(root).unwrap();
        assert!(plain.has_openat2, "these tests need openat2 (Linux 5.6)");
        [plain, HostRoot::open(root).unwrap().without_openat2()]
    }

    #[test]
    fn links_are_refused_at_every_component() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/f"), "x").unwrap();
        std::fs::write(dir.path().join("outside"), "x").unwrap();
        symlink("a", root.join("link")).unwrap();
        symlink("../outside", root.join("out")).unwrap();
        for host in both(&root) {
            assert!(host.open_path(b"/a/b/f", OFlags::RDONLY).is_ok());
            assert!(host.open_path(b"/", OFlags::PATH).is_ok());
            assert!(host.open_path(b"/a//./b/f", OFlags::RDONLY).is_ok());
            for refused in [
                &b"/link/b/f"[..],
                b"/out",
                b"/../outside",
                b"/a/../../outside",
            ] {
                assert!(host.open_path(refused, OFlags::RDONLY).is_err());
            }
        }
    }

    #[test]
    fn paths_longer_than_the_kernel_takes_are_opened_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let name = "n".repeat(200);
        let mut at = openat(CWD, dir.path(), OFlags::RDONLY, Mode::empty()).unwrap();
        let mut path = Vec::new();
        for _ in 0..100 {
            rustix::fs::mkdirat(&at, &name, Mode::from_raw_mode(0o755)).unwrap();
            at = openat(&at, &name, OFlags::RDONLY, Mode::empty()).unwrap();
            path.push(b'/');
            path.extend_from_slice(name.as_bytes());
        }
        let deepest = fstat(&at).unwrap().st_ino;
        for host in both(dir.path()) {
            assert_eq!(host.stat(&path).unwrap().st_ino, deepest);
        }
    }

    #[test]
    fn links_of_a_named_root_are_resolved_inside_the_host() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("usr/lib/x")).unwrap();
        symlink("usr/lib", dir.path().join("lib")).unwrap();
        symlink("/lib/x", dir.path().join("usr/abs")).unwrap();
        symlink("../../../../../lib", dir.path().join("usr/up")).unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        for host in both(dir.path()) {
            assert_eq!(host.resolve(b"/lib/x").unwrap(), b"/usr/lib/x");
            assert_eq!(host.resolve(b"/usr/abs/").unwrap(), b"/usr/lib/x");
            assert_eq!(host.resolve(b"/usr/up").unwrap(), b"/usr/lib");
            assert_eq!(host.resolve(b"/../").unwrap(), b"/");
            assert!(host.resolve(b"/loop").is_err());
            assert!(host.resolve(b"/none").is_err());
        }
    }
}
