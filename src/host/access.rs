//! Who, beside the owner and the superuser, can reach and read a file, or replace it.
//!
//! Reaching needs the search permission on every directory from the host's root down. Replacing is writing the
//! file, or writing any directory above it without its sticky bit: whoever can rename a directory of the path can
//! put another in its place. Access control lists count, with their masks.
//!
//! Not looked at: read-only mounts, immutable flags, capabilities and mandatory access control; who could change
//! an owner's processes. So the answer errs on the side of access.

use super::accounts::Accounts;
use super::acl::{Acl, EXECUTE, READ, WRITE};
use crate::model::{Access, Grantee};
use std::collections::BTreeSet;

const STICKY: u32 = 0o1000;
const ROOT: u32 = 0;

/// The most logins that are named for one group; what matters is that there are some.
const MOST_LOGINS: usize = 100;

/// What decides over access to one file or directory.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// `st_mode`; the file type bits may be there.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The access control list, if there is one beyond the mode.
    pub acl: Option<Acl>,
}

/// Permissions with the access control list that they amount to.
struct Object<'a> {
    list: std::borrow::Cow<'a, Acl>,
    owner: u32,
    group: u32,
    sticky: bool,
}

impl<'a> Object<'a> {
    fn new(permissions: &'a Permissions) -> Self {
        Self {
            list: permissions.acl.as_ref().map_or_else(
                || std::borrow::Cow::Owned(Acl::from_mode(permissions.mode)),
                std::borrow::Cow::Borrowed,
            ),
            owner: permissions.uid,
            group: permissions.gid,
            sticky: permissions.mode & STICKY != 0,
        }
    }

    fn permits(&self, who: Who<'_>, wanted: u8) -> bool {
        let owning = (self.owner, self.group);
        self.list.permits(owning, who.uid, who.groups, wanted)
    }
}

/// A party: one account with its groups, or anybody who is only a member of them.
#[derive(Debug, Clone, Copy)]
struct Who<'a> {
    uid: Option<u32>,
    groups: &'a [u32],
}

/// What a party can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Can {
    read: bool,
    replace: bool,
}

impl Can {
    const fn and_not(self, other: Self) -> Self {
        Self {
            read: self.read && !other.read,
            replace: self.replace && !other.replace,
        }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            read: self.read && other.read,
            replace: self.replace && other.replace,
        }
    }

    const fn or(self, other: Self) -> Self {
        Self {
            read: self.read || other.read,
            replace: self.replace || other.replace,
        }
    }
}

/// A file below its directories, the host's root first.
struct Place<'a> {
    file: Object<'a>,
    parents: Vec<Object<'a>>,
}

impl Place<'_> {
    fn can(&self, who: Who<'_>) -> Can {
        let mut can = Can::default();
        for (depth, directory) in self.parents.iter().enumerate() {
            // An owner can give themselves whatever the mode lacks.
            let owns = who.uid == Some(directory.owner);
            if owns || directory.permits(who, WRITE | EXECUTE) {
                let child = self
                    .parents
                    .get(depth.saturating_add(1))
                    .unwrap_or(&self.file);
                can.replace |= owns || !directory.sticky || who.uid == Some(child.owner);
            }
            if !(owns || directory.permits(who, EXECUTE)) {
                return can;
            }
        }
        can.read = self.file.permits(who, READ);
        can.replace |= self.file.permits(who, WRITE);
        can
    }

    /// All objects, the file last.
    fn objects(&self) -> impl Iterator<Item = &Object<'_>> {
        self.parents.iter().chain(std::iter::once(&self.file))
    }
}

/// Who can reach and read, or replace, a file with these permissions below these directories, root first.
pub(super) fn access(accounts: &Accounts, file: &Permissions, parents: &[Permissions]) -> Access {
    let place = Place {
        file: Object::new(file),
        parents: parents.iter().map(Object::new).collect(),
    };
    let exempt = |uid: u32| uid == ROOT || uid == file.uid;
    let others = place.can(Who {
        uid: None,
        groups: &[],
    });
    let mut access = Access::default();
    grant(&mut access, others, || Grantee::Others);

    let groups: BTreeSet<u32> = place
        .objects()
        .flat_map(|object| object.list.groups().chain(std::iter::once(object.group)))
        .collect();
    for gid in groups {
        let mut can = place.can(Who {
            uid: None,
            groups: &[gid],
        });
        let mut logins: (Vec<String>, Vec<String>) = Default::default();
        for (account, memberships) in accounts.members(gid).filter(|(a, _)| !exempt(a.uid)) {
            let who = Who {
                uid: Some(account.uid),
                groups: memberships,
            };
            let reached = place.can(who);
            // Members may get there by this group together with another, as for a directory above.
            let rest: Vec<u32> = memberships.iter().copied().filter(|&g| g != gid).collect();
            let by_groups = |groups| place.can(Who { uid: None, groups });
            let by_this = by_groups(memberships).and_not(by_groups(&rest));
            can = can.or(by_this.and(reached));
            let named = account.name.to_string();
            if account.login && reached.read && logins.0.len() < MOST_LOGINS {
                logins.0.push(named.clone());
            }
            if account.login && reached.replace && logins.1.len() < MOST_LOGINS {
                logins.1.push(named);
            }
        }
        let can = can.and_not(others);
        let name = || {
            accounts
                .group(gid)
                .map_or_else(|| gid.to_string(), ToString::to_string)
        };
        if can.read {
            let (name, logins) = (name(), logins.0);
            access.read.push(Grantee::Group { name, logins });
        }
        if can.replace {
            let (name, logins) = (name(), logins.1);
            access.replace.push(Grantee::Group { name, logins });
        }
    }

    let users: BTreeSet<u32> = place
        .objects()
        .flat_map(|object| object.list.users().chain(std::iter::once(object.owner)))
        .filter(|&uid| !exempt(uid))
        .collect();
    for uid in users {
        let who = Who {
            uid: Some(uid),
            groups: accounts.groups_of(uid),
        };
        let can = place.can(who).and_not(others);
        let account = accounts.by_uid(uid);
        grant(&mut access, can, || Grantee::User {
            name: account.map_or_else(|| uid.to_string(), |a| a.name.to_string()),
            login: account.is_some_and(|a| a.login),
        });
    }
    access
}

fn grant(access: &mut Access, can: Can, grantee: impl Fn() -> Grantee) {
    if can.read {
        access.read.push(grantee());
    }
    if can.replace {
        access.replace.push(grantee());
    }
}
