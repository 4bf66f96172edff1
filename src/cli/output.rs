//! Where output goes: standard output, or a file that appears whole or not at all.

use anyhow::{Context as _, bail};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A place to write to. Sweeps and reports are a map to private keys: a file is made with mode 0600 beside
/// its target and renamed into place, so that a link at the target is replaced and never followed. Where the file
/// system knows files without a name (`O_TMPFILE`), it has none until it is complete: whatever ends the program
/// leaves nothing behind.
pub enum Target {
    /// Standard output.
    Standard,
    /// A file.
    File(Pending),
}

/// A file that is not in its place yet; dropped without [`Target::commit`] it goes away.
pub struct Pending {
    file: BufWriter<File>,
    /// The name that it has meanwhile, or will have just before it is put in place.
    temporary: PathBuf,
    named: bool,
    path: PathBuf,
}

impl Target {
    /// Opens a target; `-` is standard output. Fails early, before a long sweep, if it cannot be written.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Standard);
        }
        // A link is replaced; one to a device or directory (`/dev/stdout`) is not what was meant.
        let is_other = |facts: io::Result<fs::Metadata>| {
            facts.is_ok_and(|present| !present.is_file() && !present.is_symlink())
        };
        if is_other(fs::symlink_metadata(path)) || is_other(fs::metadata(path)) {
            bail!(
                "{}: is there and is no regular file; use `-o -` for standard output",
                path.display()
            );
        }
        let name = path
            .file_name()
            .with_context(|| format!("{}: names no file", path.display()))?;
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let nameless = nameless(parent);
        for attempt in 0..100u32 {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
            let temporary = parent.join(hidden);
            if fs::symlink_metadata(&temporary).is_ok() {
                continue;
            }
            let named = nameless.is_none();
            let file = match &nameless {
                Some(file) => file.try_clone(),
                None => OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&temporary),
            };
            match file {
                Ok(file) => {
                    return Ok(Self::File(Pending {
                        file: BufWriter::with_capacity(256 << 10, file),
                        temporary,
                        named,
                        path: path.to_owned(),
                    }));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("{}: cannot be written", path.display()));
                }
            }
        }
        bail!("{}: too many unfinished outputs beside it", path.display())
    }

    /// Device and inode of the files that a sweep must not read: the unfinished one and the one it replaces.
    pub fn own_files(&self) -> Vec<(u64, u64)> {
        match self {
            // Told by `redirected`.
            Self::Standard => Vec::new(),
            Self::File(pending) => [
                pending.file.get_ref().metadata(),
                fs::symlink_metadata(&pending.path),
            ]
            .into_iter()
            .flatten()
            .map(|facts| (facts.dev(), facts.ino()))
            .collect(),
        }
    }

    /// Lets `write` produce the output, and puts it in place.
    pub fn commit(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Standard => {
                let mut out = BufWriter::new(io::stdout().lock());
                match write(&mut out).and_then(|()| out.flush()) {
                    // The reader (`head`, a pager) has seen enough.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other.context("standard output: cannot be written"),
                }
            }
            Self::File(mut pending) => pending
                .place(write)
                .with_context(|| format!("{}: cannot be written", pending.path.display())),
        }
    }
}

impl Pending {
    fn place(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        write(&mut self.file)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        if !self.named {
            let handle = handle_path(self.file.get_ref());
            linkat(CWD, &handle, CWD, &self.temporary, AtFlags::SYMLINK_FOLLOW)?;
            self.named = true;
        }
        fs::rename(&self.temporary, &self.path)?;
        self.named = false;
        Ok(())
    }
}

/// A file without a name in a directory; none where the file system has no such, or where it could not be named later.
fn nameless(directory: &Path) -> Option<File> {
    let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, directory, flags, Mode::RUSR | Mode::WUSR).ok()?);
    handle_path(&file).exists().then_some(file)
}

/// The name that an open file has in /proc.
fn handle_path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.named {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Device and inode of standard output and standard error, where a shell redirected them into regular files.
pub fn redirected() -> Vec<(u64, u64)> {
    use std::os::fd::AsFd as _;
    [
        rustix::fs::fstat(io::stdout().as_fd()),
        rustix::fs::fstat(io::stderr().as_fd()),
    ]
    .into_iter()
    .flatten()
    .filter(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file())
    .map(|stat| (stat.st_dev, stat.st_ino))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_appears_whole_and_private_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sweep.jsonl");
        let target = Target::open(&path).unwrap();
        assert_eq!(target.own_files().len(), 1);
        assert!(!path.exists());
        target.commit(|out| out.write_all(b"x")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        let failing = Target::open(&path).unwrap();
        assert_eq!(failing.own_files().len(), 2);
        assert!(failing.commit(|_| Err(io::Error::other("full"))).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_and_a_device_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (link, aim) = (dir.path().join("link"), dir.path().join("aim"));
        fs::write(&aim, "kept").unwrap();
        std::os::unix::fs::symlink(&aim, &link).unwrap();
        Target::open(&link)
            .unwrap()
            .commit(|out| out.write_all(b"x"))
            .unwrap();
        assert_eq!(fs::read(&aim).unwrap(), b"kept");
        assert_eq!(fs::read(&link).unwrap(), b"x");
        assert!(Target::open(Path::new("/dev/null")).is_err());
        assert!(Target::open(&dir.path().join("none/x")).is_err());
    }
}
