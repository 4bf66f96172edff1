//! What a host root says of itself, to decorate sightings while a sweep runs: names of owners, whose home a file
//! lies in, who has access to it, and whether the file is the host's own or came with a package.
//!
//! All of it is read beneath the host's root and from its own files, never from the machine that runs the sweep;
//! nothing is executed. What cannot be read or understood proves nothing: such files are [`Class::Own`].

mod access;
mod accounts;
mod acl;
mod dependency;
mod digest;
mod index;
mod passwords;
mod rooted;
mod sshd;
mod trust;
mod vendor;

pub use access::Permissions;
pub use acl::Acl;
pub use digest::DigestKind;
pub use passwords::{Beside, FoundPassword};
pub use sshd::{Remark, Sshd, Use};

use crate::model::host::machine_id_digest;
use crate::model::{Access, Class, Sha256Hex};
use accounts::Accounts;
use arcstr::ArcStr;
use dependency::Dependencies;
use index::Standing;
use rooted::Rooted;
use std::path::Path;
use std::sync::OnceLock;
use trust::Anchors;
use vendor::Vendor;

/// One host by its own files; to be shared by all threads of a sweep.
///
/// Accounts are read at once, package lists when the first file is asked for.
pub struct Host {
    rooted: Rooted,
    accounts: Accounts,
    vendor: OnceLock<Vendor>,
    anchors: OnceLock<Anchors>,
    sshd: OnceLock<Sshd>,
    dependencies: Dependencies,
}

/// Largest file that is taken for a machine id, in bytes.
const MACHINE_ID_MAX: u64 = 256;

/// Whose a file is, and the package that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    /// [`Class::Vendor`], [`Class::Dependency`] or [`Class::Own`]; see [`Host::class_of_certificate`] for the fourth.
    pub class: Class,
    /// The package that the file belongs to, as `manager:name@version`. With [`Class::Own`] the file is listed in
    /// the package and not proven: changed, or its digest is not recorded.
    pub package: Option<ArcStr>,
}

impl Host {
    /// Reads the accounts of the host whose root directory is `root`. A root that cannot be read gives a host that
    /// knows nothing.
    pub fn load(root: &Path) -> Self {
        let rooted = Rooted::open_root(root);
        Self {
            accounts: Accounts::load(&rooted),
            rooted,
            vendor: OnceLock::new(),
            anchors: OnceLock::new(),
            sshd: OnceLock::new(),
            dependencies: Dependencies::default(),
        }
    }

    /// The digest of the machine id (machine-id(5)), by which a host is the same after a rename; D-Bus keeps it too, on
    /// systems without the former.
    pub fn machine_id(&self) -> Option<Sha256Hex> {
        [&b"/etc/machine-id"[..], b"/var/lib/dbus/machine-id"]
            .iter()
            .find_map(|path| {
                let bytes = self.rooted.read(path, MACHINE_ID_MAX)?;
                machine_id_digest(std::str::from_utf8(&bytes).ok()?)
            })
    }

    /// The name of an account.
    pub fn owner_name(&self, uid: u32) -> Option<ArcStr> {
        self.accounts
            .by_uid(uid)
            .map(|account| ArcStr::clone(&account.name))
    }

    /// The name of a group.
    pub fn group_name(&self, gid: u32) -> Option<ArcStr> {
        self.accounts.group(gid).cloned()
    }

    /// The account in whose home directory an absolute path lies, the longest home deciding. Services have homes
    /// too (`/var/lib/postgresql`); system directories (`/`, `/bin`, `/var/backups`) are no homes, whatever
    /// `/etc/passwd` says.
    pub fn home_of(&self, path: &[u8]) -> Option<ArcStr> {
        self.accounts.home_of(path).cloned()
    }

    /// Who, beside the owner and the superuser, can reach and read a file, or replace it. `parents` are the
    /// directories above it, the host's root first.
    pub fn access(&self, file: &Permissions, parents: &[Permissions]) -> Access {
        access::access(&self.accounts, file, parents)
    }

    /// Whose the file at an absolute path is. `digests` computes a digest of the whole file when it is asked for;
    /// [`DigestKind::of`] does that for a reader. Most files need none, few need more than one.
    pub fn classify(
        &self,
        path: &[u8],
        digests: &mut dyn FnMut(DigestKind) -> Option<Vec<u8>>,
    ) -> Ownership {
        let listed = match self.vendor().look(path, digests) {
            Some(Standing::Proven(package)) => {
                return Ownership {
                    class: Class::Vendor,
                    package: Some(package),
                };
            }
            Some(Standing::Listed(package)) => Some(package),
            None => None,
        };
        match self.dependencies.prove(&self.rooted, path, digests) {
            Some(Standing::Proven(package)) => Ownership {
                class: Class::Dependency,
                package: Some(package),
            },
            Some(Standing::Listed(package)) => Ownership {
                class: Class::Own,
                package: listed.or(Some(package)),
            },
            None => Ownership {
                class: Class::Own,
                package: listed,
            },
        }
    }

    /// The class of a certificate in a file of this class: a CA certificate in a trust store which is no package's
    /// own file, and which is identical with one that the distribution ships, is a [`Class::TrustAnchor`].
    pub fn class_of_certificate(
        &self,
        path: &[u8],
        file: Class,
        cert_sha256: &[u8; 32],
        is_ca: bool,
    ) -> Class {
        let anchor = file == Class::Own
            && is_ca
            && Self::is_trust_store(path)
            && self.is_distribution_anchor(cert_sha256);
        if anchor { Class::TrustAnchor } else { file }
    }

    /// Whether a path is a trust store by place or name.
    pub fn is_trust_store(path: &[u8]) -> bool {
        trust::is_trust_store(path)
    }

    /// Whether a certificate, by the SHA-256 of its DER, is among those that the distribution ships for trust stores
    /// in files that its package manager vouches for.
    pub fn is_distribution_anchor(&self, cert_sha256: &[u8; 32]) -> bool {
        self.anchors
            .get_or_init(|| Anchors::load(&self.rooted, self.vendor()))
            .contains(cert_sha256)
    }

    /// What the host's sshd makes of its files; read when it is first asked for.
    pub fn sshd(&self) -> &Sshd {
        self.sshd
            .get_or_init(|| Sshd::load(&self.rooted, &self.accounts))
    }

    /// Number of files that the host's package managers know.
    pub fn packaged_files(&self) -> usize {
        self.vendor().files()
    }

    fn vendor(&self) -> &Vendor {
        self.vendor.get_or_init(|| Vendor::load(&self.rooted))
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("rooted", &self.rooted)
            .finish_non_exhaustive()
    }
}
