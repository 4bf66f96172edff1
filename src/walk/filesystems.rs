//! What kind of file system a mount is: by its type's name, or by the magic number of `statfs(2)`.

/// How a file system is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Files of this machine: entered.
    Local,
    /// A window into the kernel, without files of anybody: never entered.
    Pseudo,
    /// Files of another machine: entered when asked.
    Network,
    /// Files made by a program, often of another user or machine: entered when asked.
    Fuse,
}

impl Nature {
    /// The words for people.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local file system",
            Self::Pseudo => "pseudo file system",
            Self::Network => "network file system",
            Self::Fuse => "FUSE file system",
        }
    }
}

/// Types without files of anybody, with their magic numbers (`linux/magic.h` and the file systems' own sources).
///
/// `devtmpfs` is not among them: it holds only device nodes, which are never opened, but `/dev/shm` lies on it.
const PSEUDO: &[(&str, u32)] = &[
    ("apparmorfs", 0x5a3c_69f0),
    ("autofs", 0x0187),
    ("binder", 0x6c6f_6f70),
    ("binfmt_misc", 0x4249_4e4d),
    ("bpf", 0xcafe_4a11),
    ("cgroup", 0x0027_e0eb),
    ("cgroup2", 0x6367_7270),
    ("configfs", 0x6265_6570),
    ("cpuset", 0x0027_e0eb),
    ("debugfs", 0x6462_6720),
    ("devpts", 0x1cd1),
    ("efivarfs", 0xde5e_81e4),
    ("functionfs", 0x0a64_7361),
    ("fusectl", 0x6573_5543),
    ("hugetlbfs", 0x9584_58f6),
    ("mqueue", 0x1980_0202),
    ("nfsd", 0x6e66_7364),
    ("nsfs", 0x6e73_6673),
    ("openpromfs", 0x9fa1),
    ("pipefs", 0x5049_5045),
    ("proc", 0x9fa0),
    ("pstore", 0x6165_676c),
    ("resctrl", 0x0765_5821),
    ("rpc_pipefs", 0x6759_6969),
    ("securityfs", 0x7363_6673),
    ("selinuxfs", 0xf97c_ff8c),
    ("smackfs", 0x4341_5d53),
    ("sockfs", 0x534f_434b),
    ("sysfs", 0x6265_6572),
    ("tracefs", 0x7472_6163),
    ("usbdevfs", 0x9fa2),
    ("usbfs", 0x9fa2),
    ("xenfs", 0xabba_1974),
];

/// Types whose files lie on another machine.
const NETWORK: &[(&str, u32)] = &[
    ("9p", 0x0102_1997),
    ("afs", 0x5346_414f),
    ("afs", 0x6b41_4653),
    ("beegfs", 0x1983_0326),
    ("ceph", 0x00c3_6400),
    ("cifs", 0xff53_4d42),
    ("coda", 0x7375_7245),
    ("gpfs", 0x4750_4653),
    ("lustre", 0x0bd0_0bd0),
    ("ncpfs", 0x564c),
    ("nfs", 0x6969),
    ("pvfs2", 0x2003_0528),
    ("smb2", 0xfe53_4d42),
    ("smbfs", 0x517b),
    ("vboxsf", 0x786f_4256),
];

/// Network types that share a magic number with one above, or have none of their own.
const NETWORK_NAMES: &[&str] = &[
    "acfs",
    "davfs",
    "glusterfs",
    "ncp",
    "nfs4",
    "smb3",
    "vmhgfs",
];

/// The magic number that every FUSE mount has, also block devices served through it.
const FUSE_MAGIC: u32 = 0x6573_5546;

/// btrfs: each of its subvolumes has a device number of its own without being a mount.
const BTRFS_MAGIC: u32 = 0x9123_683e;

/// The nature of a type as the mount table names it.
pub(super) fn by_name(name: &[u8]) -> Nature {
    let is = |known: &str| known.as_bytes() == name;
    if PSEUDO.iter().any(|(known, _)| is(known)) {
        Nature::Pseudo
    } else if NETWORK.iter().any(|(known, _)| is(known)) || NETWORK_NAMES.iter().any(|n| is(n)) {
        Nature::Network
    } else if name == b"fuse" || name.starts_with(b"fuse.") {
        Nature::Fuse
    } else {
        // `fuseblk` is a block device of this machine (NTFS, exFAT), virtiofs the root of a virtual machine.
        Nature::Local
    }
}

/// The nature and a name for a magic number, for mounts that the table does not know.
pub(super) fn by_magic(magic: u32) -> (Nature, &'static str) {
    let name = |table: &[(&'static str, u32)]| {
        let found = table.iter().find(|(_, known)| *known == magic);
        found.map(|(name, _)| *name)
    };
    if let Some(name) = name(PSEUDO) {
        (Nature::Pseudo, name)
    } else if let Some(name) = name(NETWORK) {
        (Nature::Network, name)
    } else if magic == FUSE_MAGIC {
        (Nature::Fuse, "fuse")
    } else if magic == BTRFS_MAGIC {
        (Nature::Local, "btrfs")
    } else {
        (Nature::Local, "unknown type")
    }
}

/// Whether the magic number is that of btrfs.
pub(super) const fn is_btrfs(magic: u32) -> bool {
    magic == BTRFS_MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natures_by_name() {
        for (name, nature) in [
            ("ext4", Nature::Local),
            ("tmpfs", Nature::Local),
            ("devtmpfs", Nature::Local),
            ("overlay", Nature::Local),
            ("squashfs", Nature::Local),
            ("fuseblk", Nature::Local),
            ("proc", Nature::Pseudo),
            ("cgroup2", Nature::Pseudo),
            ("nfs4", Nature::Network),
            ("smb3", Nature::Network),
            ("fuse", Nature::Fuse),
            ("fuse.sshfs", Nature::Fuse),
        ] {
            assert_eq!(by_name(name.as_bytes()), nature, "{name}");
        }
    }

    #[test]
    fn the_running_kernel_has_the_magic_numbers_of_the_table() {
        for (path, name) in [("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts")] {
            let Ok(statfs) = rustix::fs::statfs(path) else {
                continue;
            };
            let magic = u32::try_from(statfs.f_type).unwrap();
            assert_eq!(by_magic(magic), (Nature::Pseudo, name));
        }
        assert_eq!(by_magic(0xef53).0, Nature::Local);
    }
}
