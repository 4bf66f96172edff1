//! POSIX access control lists: the extended attribute `system.posix_acl_access` (acl(5)).
//!
//! Layout, little-endian (Linux `include/uapi/linux/posix_acl_xattr.h`): a u32 version, 2, then entries of
//! u16 tag, u16 permissions and u32 id.

use rustix::fd::AsFd;

const VERSION: u32 = 2;
const ATTRIBUTE: &str = "system.posix_acl_access";

/// Reading is permitted.
pub(super) const READ: u8 = 4;
/// Writing is permitted.
pub(super) const WRITE: u8 = 2;
/// Entering a directory is permitted.
pub(super) const EXECUTE: u8 = 1;

/// An access control list. The mask is applied when it is asked, not when it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl {
    owner: u8,
    group: u8,
    other: u8,
    mask: Option<u8>,
    users: Vec<(u32, u8)>,
    groups: Vec<(u32, u8)>,
}

impl Acl {
    /// Reads the list of a file or directory that is open for reading (`O_PATH` does not do); none where there is none, or the file system has no lists.
    pub fn of(fd: impl AsFd) -> Option<Self> {
        // Most files have no list: its size is asked for before a buffer is made. The kernel allows 64 KiB.
        let size = rustix::fs::fgetxattr_query(fd.as_fd(), ATTRIBUTE).ok()?;
        let mut value = vec![0u8; size.min(65_536)];
        let read = rustix::fs::fgetxattr(fd.as_fd(), ATTRIBUTE, value.as_mut_slice()).ok()?;
        Self::parse(value.get(..read)?)
    }

    /// Reads the attribute's bytes; none if they are no list of version 2.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, entries) = bytes.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != VERSION || entries.len() % 8 != 0 {
            return None;
        }
        let mut acl = Self::default();
        for entry in entries.chunks_exact(8) {
            let [t0, t1, p0, _, i0, i1, i2, i3] = *entry else {
                return None;
            };
            let (permissions, id) = (p0 & 7, u32::from_le_bytes([i0, i1, i2, i3]));
            match u16::from_le_bytes([t0, t1]) {
                0x01 => acl.owner = permissions,
                0x02 => acl.users.push((id, permissions)),
                0x04 => acl.group = permissions,
                0x08 => acl.groups.push((id, permissions)),
                0x10 => acl.mask = Some(permissions),
                0x20 => acl.other = permissions,
                _ => return None,
            }
        }
        Some(acl)
    }

    /// The list that permission bits alone stand for.
    pub(super) fn from_mode(mode: u32) -> Self {
        let [low, high, ..] = (mode & 0o777).to_le_bytes();
        let bits = u16::from_le_bytes([low, high]);
        let class = |shift: u16| (bits >> shift).to_le_bytes()[0] & 7;
        Self {
            owner: class(6),
            group: class(3),
            other: class(0),
            ..Self::default()
        }
    }

    /// The accounts that the list names.
    pub(super) fn users(&self) -> impl Iterator<Item = u32> {
        self.users.iter().map(|&(uid, _)| uid)
    }

    /// The groups that the list names.
    pub(super) fn groups(&self) -> impl Iterator<Item = u32> {
        self.groups.iter().map(|&(gid, _)| gid)
    }

    /// Whether a process of `uid` (none: of no account that is named) with `groups` may do all of `wanted` to a
    /// file of `owner` and `group`, by the access check algorithm of acl(5). Where the mask is empty, Linux does not
    /// look at the named entries at all (`acl_permission_check` in `fs/namei.c`), so that who they would have shut
    /// out is one of the others.
    pub(super) fn permits(
        &self,
        (owner, group): (u32, u32),
        uid: Option<u32>,
        groups: &[u32],
        wanted: u8,
    ) -> bool {
        let all = |permissions: u8| permissions & wanted == wanted;
        let masked = |permissions: u8| all(permissions & self.mask.unwrap_or(7));
        if uid == Some(owner) {
            return all(self.owner);
        }
        let (users, named_groups): (&[_], &[_]) = match self.mask {
            Some(0) => (&[], &[]),
            _ => (&self.users, &self.groups),
        };
        if let Some((_, permissions)) = users.iter().find(|(id, _)| Some(*id) == uid) {
            return masked(*permissions);
        }
        let mut in_group = false;
        let owning = std::iter::once((group, self.group));
        for (gid, permissions) in owning.chain(named_groups.iter().copied()) {
            if groups.contains(&gid) {
                in_group = true;
                if masked(permissions) {
                    return true;
                }
            }
        }
        !in_group && all(self.other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_bits_are_the_shortest_list() {
        let acl = Acl::from_mode(0o100_754);
        assert_eq!((acl.owner, acl.group, acl.other), (7, 5, 4));
        assert!(acl.permits((1, 2), Some(1), &[], WRITE));
        assert!(acl.permits((1, 2), None, &[2], READ | EXECUTE));
        assert!(!acl.permits((1, 2), None, &[2], WRITE));
        // A member of the owning group never falls through to the others.
        let shut_out = Acl::from_mode(0o604);
        assert!(shut_out.permits((1, 2), None, &[3], READ));
        assert!(!shut_out.permits((1, 2), None, &[2], READ));
    }

    #[test]
    fn an_empty_mask_silences_the_named_entries() {
        let list = |mask| Acl {
            other: READ,
            mask: Some(mask),
            users: vec![(7, 0)],
            groups: vec![(8, 0)],
            ..Acl::default()
        };
        for who in [(Some(7), &[][..]), (None, &[8][..])] {
            assert!(list(0).permits((1, 2), who.0, who.1, READ));
            assert!(!list(READ).permits((1, 2), who.0, who.1, READ));
        }
        assert!(!list(0).permits((1, 2), None, &[2], READ));
    }

    #[test]
    fn chance_bytes_are_no_list() {
        assert_eq!(Acl::parse(b""), None);
        assert_eq!(Acl::parse(&[1, 0, 0, 0]), None);
        assert_eq!(Acl::parse(&[2, 0, 0, 0, 1]), None);
        assert_eq!(Acl::parse(&[2, 0, 0, 0, 0x40, 0, 7, 0, 0, 0, 0, 0]), None);
        assert_eq!(Acl::parse(&[2, 0, 0, 0]), Some(Acl::default()));
    }
}
