//! Opening without touching access times, where the kernel permits it.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What was learned about `O_NOATIME`.
///
/// The kernel grants it to a file's owner and to the superuser, and answers `EPERM` to others. Asking for it at each
/// file of somebody else would cost a second open, so a refusal is remembered by owner, and the owner of a file is
/// guessed from its directory. A wrong guess costs one more system call and never an access time.
#[derive(Debug, Default)]
pub(super) struct AccessTimes {
    any_refused: AtomicBool,
    refused_owners: RwLock<HashSet<u32>>,
    touched: AtomicBool,
}

/// An open file, and whether reading it leaves its access time alone.
pub(super) struct Opened {
    pub(super) fd: OwnedFd,
    quiet: bool,
}

impl AccessTimes {
    /// Opens through `open`, which is given the flags to add; `likely_owner` is that of the directory.
    pub(super) fn open(
        &self,
        likely_owner: u32,
        open: impl Fn(OFlags) -> Result<OwnedFd, Errno>,
    ) -> Result<Opened, Errno> {
        if !self.is_refused(likely_owner) {
            match open(OFlags::NOATIME) {
                Ok(fd) => return Ok(Opened { fd, quiet: true }),
                Err(Errno::PERM) => self.any_refused.store(true, Ordering::Relaxed),
                Err(other) => return Err(other),
            }
        }
        let fd = open(OFlags::empty())?;
        Ok(Opened { fd, quiet: false })
    }

    /// To be called before the first read, when the owner is known.
    pub(super) fn settle(&self, opened: &Opened, owner: u32) {
        if opened.quiet {
            return;
        }
        if !self.is_refused(owner) {
            let flags = OFlags::NONBLOCK | OFlags::NOATIME;
            if fcntl_setfl(opened.fd.as_fd(), flags).is_ok() {
                return;
            }
            if let Ok(mut owners) = self.refused_owners.write() {
                owners.insert(owner);
            }
        }
        self.touched.store(true, Ordering::Relaxed);
    }

    /// Whether something was read whose access time could not be left alone.
    pub(super) fn refused(&self) -> bool {
        self.touched.load(Ordering::Relaxed)
    }

    fn is_refused(&self, owner: u32) -> bool {
        self.any_refused.load(Ordering::Relaxed)
            && self
                .refused_owners
                .read()
                .is_ok_and(|owners| owners.contains(&owner))
    }
}
