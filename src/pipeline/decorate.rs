//! What a host says of the file that holds a finding: names, access, home, package and class.

use crate::host::{Acl, DigestKind, Host, Ownership, Permissions};
use crate::model::{Access, FileFacts, Mode, SharedText, Sighting};
use crate::walk::{Facts, HostRoot};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

/// The kernel's name of a POSIX access control list.
const ACL_ATTRIBUTE: &str = "system.posix_acl_access";
/// How many directories' permissions are kept.
const CHAINS_MAX: usize = 4096;

/// Decorates the sightings of one file after the other.
pub struct Decorator<'a> {
    host: &'a Host,
    root: &'a HostRoot,
    directories: HashMap<Vec<u8>, Permissions>,
}

impl<'a> Decorator<'a> {
    /// A decorator for files of this host.
    pub fn new(host: &'a Host, root: &'a HostRoot) -> Self {
        Self {
            host,
            root,
            directories: HashMap::new(),
        }
    }

    /// Sets file facts, package and class of the sightings of one file. `paths` are all its paths, the one to
    /// tell first.
    pub fn decorate(
        &mut self,
        sightings: &mut [Sighting],
        paths: &[Vec<u8>],
        facts: &Facts,
        acl: Option<Acl>,
        digests: &mut dyn FnMut(DigestKind) -> Option<Vec<u8>>,
    ) {
        let Some(first) = paths.first() else {
            return;
        };
        let owned = self.host.classify(first, digests);
        let file = Arc::new(self.file(first, paths, facts, acl, &owned));
        for sighting in sightings {
            // Old roots are of version 1 and say nothing of themselves.
            let is_ca = sighting
                .certificate
                .as_ref()
                .is_some_and(|c| c.is_ca || c.self_signed);
            sighting.class = match &sighting.fingerprints.cert_sha256() {
                Some(digest) => {
                    self.host
                        .class_of_certificate(first, owned.class, &digest.0, is_ca)
                }
                None => owned.class,
            };
            sighting.file = Some(file.clone());
        }
    }

    fn file(
        &mut self,
        told: &[u8],
        paths: &[Vec<u8>],
        facts: &Facts,
        acl: Option<Acl>,
        owned: &Ownership,
    ) -> FileFacts {
        let permissions = Permissions {
            mode: facts.mode,
            uid: facts.uid,
            gid: facts.gid,
            acl,
        };
        let mut access = Access::default();
        for path in paths {
            let parents = self.parents(path);
            let way = self.host.access(&permissions, &parents);
            access.read.extend(way.read);
            access.replace.extend(way.replace);
        }
        for list in [&mut access.read, &mut access.replace] {
            list.sort();
            list.dedup();
        }
        FileFacts {
            size: facts.size,
            mode: Mode(u16::try_from(facts.mode & 0o7777).unwrap_or(0)),
            uid: facts.uid,
            gid: facts.gid,
            owner: self.host.owner_name(facts.uid).map(SharedText::from),
            group: self.host.group_name(facts.gid).map(SharedText::from),
            modified: jiff::Timestamp::new(
                facts.mtime,
                i32::try_from(facts.mtime_nanoseconds).unwrap_or(0),
            )
            .ok(),
            home_of: self.host.home_of(told).map(SharedText::from),
            package: owned.package.clone().map(SharedText::from),
            access: Some(Arc::new(access)),
        }
    }

    /// The permissions of the directories above a path, the host's root first.
    fn parents(&mut self, path: &[u8]) -> Vec<Permissions> {
        if self.directories.len() > CHAINS_MAX {
            self.directories.clear();
        }
        let mut chain = vec![self.directory(b"/")];
        for (at, byte) in path.iter().enumerate().skip(1) {
            if *byte == b'/'
                && let Some(directory) = path.get(..at)
            {
                chain.push(self.directory(directory));
            }
        }
        chain
    }

    /// The permissions of one directory. They only inform, so the path is enough; one that cannot be asked about
    /// counts as open, so that nothing looks safer than it is.
    fn directory(&mut self, path: &[u8]) -> Permissions {
        if let Some(known) = self.directories.get(path) {
            return known.clone();
        }
        let outside = self.outside(path);
        let permissions = match std::fs::symlink_metadata(&outside) {
            Ok(facts) => Permissions {
                mode: facts.mode(),
                uid: facts.uid(),
                gid: facts.gid(),
                acl: acl_of(&outside),
            },
            Err(_) => Permissions {
                mode: 0o755,
                uid: 0,
                gid: 0,
                acl: None,
            },
        };
        self.directories.insert(path.to_vec(), permissions.clone());
        permissions
    }

    /// A path of the host as this machine sees it.
    fn outside(&self, path: &[u8]) -> PathBuf {
        let below = path.strip_prefix(b"/").unwrap_or(path);
        self.root.path().join(std::ffi::OsStr::from_bytes(below))
    }
}

fn acl_of(path: &std::path::Path) -> Option<Acl> {
    let mut buffer = [0u8; 4096];
    let length = rustix::fs::lgetxattr(path, ACL_ATTRIBUTE, &mut buffer[..]).ok()?;
    Acl::parse(buffer.get(..length)?)
}
