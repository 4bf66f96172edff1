//! Who can reach and read, or replace, a file. The access control lists are made by `setfacl`.

use super::{Root, run};
use keymuster::host::{Acl, Host, Permissions};
use keymuster::model::{Access, Grantee};
use std::fs::{self, File};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    www-data:x:33:33::/var/www:/usr/sbin/nologin\n\
    postgres:x:105:112::/var/lib/postgresql:/bin/bash\n\
    alice:x:1000:1000::/home/alice:/bin/bash\n\
    bob:x:1001:1001::/home/bob:/bin/bash\n\
    daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nwww-data:x:33:\nssl-cert:x:110:postgres,alice\ndaemons:x:111:daemon\n\
    staff:x:50:alice,bob\nalice:x:1000:\nbob:x:1001:\n";

fn host() -> (Root, Host) {
    let root = Root::new();
    root.write("etc/passwd", PASSWD).write("etc/group", GROUP);
    let host = root.host();
    (root, host)
}

fn of(mode: u32, uid: u32, gid: u32) -> Permissions {
    Permissions {
        mode,
        uid,
        gid,
        acl: None,
    }
}

/// Access to a file with the given directories above it.
fn access(file: Permissions, parents: &[Permissions]) -> Access {
    host().1.access(&file, parents)
}

fn group(name: &str, logins: &[&str]) -> Grantee {
    Grantee::Group {
        name: name.to_owned(),
        logins: logins.iter().map(|&login| login.to_owned()).collect(),
    }
}

fn user(name: &str, login: bool) -> Grantee {
    Grantee::User {
        name: name.to_owned(),
        login,
    }
}

fn open() -> Permissions {
    of(0o40_755, 0, 0)
}

#[test]
fn only_the_owner() {
    assert_eq!(
        access(of(0o600, 0, 0), &[open(), open()]),
        Access::default()
    );
    assert_eq!(
        access(of(0o600, 1000, 1000), &[open(), of(0o700, 1000, 1000)]),
        Access::default()
    );
    // The group's only member with access is the owner.
    let granted = access(of(0o640, 1000, 1000), &[open()]);
    assert_eq!(granted.read, [group("alice", &[])]);
}

#[test]
fn others_read_only_what_they_can_reach() {
    let granted = access(of(0o644, 0, 0), &[open(), open()]);
    assert_eq!(
        (granted.read, granted.replace),
        (vec![Grantee::Others], vec![])
    );
    assert_eq!(
        access(of(0o644, 0, 0), &[open(), of(0o700, 0, 0)]),
        Access::default()
    );
    assert_eq!(
        access(of(0o666, 0, 0), &[open(), of(0o700, 0, 0), open()]),
        Access::default()
    );
    // Listing a directory is not needed, searching it is.
    assert_eq!(
        access(of(0o644, 0, 0), &[of(0o711, 0, 0)]).read,
        [Grantee::Others]
    );
    assert_eq!(access(of(0o644, 0, 0), &[of(0o744, 0, 0)]).read, []);
}

#[test]
fn members_that_log_in_are_named() {
    assert_eq!(
        access(of(0o640, 0, 110), &[open()]).read,
        [group("ssl-cert", &["postgres", "alice"])]
    );
    assert_eq!(
        access(of(0o640, 0, 111), &[open()]).read,
        [group("daemons", &[])]
    );
    // A primary group counts, as does one that has no name.
    assert_eq!(
        access(of(0o640, 0, 1001), &[open()]).read,
        [group("bob", &["bob"])]
    );
    assert_eq!(
        access(of(0o640, 0, 112), &[open()]).read,
        [group("112", &["postgres"])]
    );
    // The directory shuts the group out.
    assert_eq!(
        access(of(0o640, 0, 110), &[open(), of(0o700, 0, 0)]),
        Access::default()
    );
}

#[test]
fn a_second_group_can_open_the_way() {
    // The directory is for staff, the file for ssl-cert: alice is in both, postgres is not in staff.
    let granted = access(of(0o640, 0, 110), &[open(), of(0o750, 0, 50)]);
    let expected = [group("staff", &["alice"]), group("ssl-cert", &["alice"])];
    assert_eq!(granted.read, expected, "both are needed");
}

#[test]
fn replacing_by_a_writable_directory() {
    let replace = |file, parents: &[Permissions]| access(file, parents).replace;
    let file = || of(0o600, 0, 0);
    assert_eq!(
        replace(file(), &[open(), of(0o777, 0, 0)]),
        [Grantee::Others]
    );
    // A sticky directory protects what others own, a directory above that can be renamed does not.
    assert_eq!(replace(file(), &[open(), of(0o1777, 0, 0)]), []);
    assert_eq!(
        replace(file(), &[open(), of(0o777, 0, 0), open(), open()]),
        [Grantee::Others]
    );
    assert_eq!(
        replace(file(), &[open(), of(0o700, 0, 0), of(0o777, 0, 0)]),
        []
    );
    assert_eq!(
        replace(file(), &[open(), of(0o775, 0, 50)]),
        [group("staff", &["alice", "bob"])]
    );
    assert_eq!(
        replace(of(0o620, 0, 110), &[open()]),
        [group("ssl-cert", &["postgres", "alice"])]
    );
    assert_eq!(replace(of(0o602, 0, 0), &[open()]), [Grantee::Others]);
}

#[test]
fn the_owner_of_a_directory_above() {
    let granted = access(of(0o600, 0, 0), &[open(), of(0o755, 33, 33)]);
    assert_eq!(
        (granted.read, granted.replace),
        (vec![], vec![user("www-data", false)])
    );
    // They can open their own directory, but not get to it through another's.
    let home = [open(), of(0o000, 1000, 1000)];
    assert_eq!(access(of(0o644, 0, 0), &home).read, [user("alice", true)]);
    let shut = [open(), of(0o700, 0, 0), of(0o755, 1000, 1000)];
    assert_eq!(access(of(0o644, 0, 0), &shut), Access::default());
}

#[test]
fn access_control_lists_with_their_masks() {
    let (root, host) = host();
    root.write("key", "x");
    let path = root.at("key");
    let granted = |entries: &str| {
        run(root.path(), "setfacl", &["-b", "key"]);
        run(root.path(), "chmod", &["600", "key"]);
        run(root.path(), "setfacl", &["-m", entries, "key"]);
        let file = File::open(&path).unwrap();
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap());
        let acl = Acl::of(&file);
        // `o::r` needs no list, so there is none.
        assert_eq!(acl.is_some(), !entries.starts_with('o'), "{entries}");
        host.access(
            &Permissions {
                mode,
                uid: 0,
                gid: 0,
                acl,
            },
            &[open()],
        )
    };
    let read = granted("u:1000:r").read;
    assert_eq!(read, [user("alice", true)]);
    assert_eq!(
        granted("g:110:r").read,
        [group("ssl-cert", &["postgres", "alice"])]
    );
    assert_eq!(granted("u:4711:r").read, [user("4711", false)]);
    assert_eq!(granted("o::r").read, [Grantee::Others]);
    // The mask takes away what the entry gives; `u:1000:rw` under `m::r` reads and does not write.
    assert_eq!(granted("u:1000:rw,g:110:r,m::-"), Access::default());
    let masked = granted("u:1000:rw,m::r");
    assert_eq!(
        (masked.read, masked.replace),
        (vec![user("alice", true)], vec![])
    );
    let whole = granted("u:1000:rw,m::rw");
    assert_eq!(whole.replace, [user("alice", true)]);
    // An entry of their own shuts alice out, although she is in the group.
    assert_eq!(
        granted("u:1000:-,g:110:r").read,
        [group("ssl-cert", &["postgres"])]
    );
}

#[test]
fn no_list_where_there_is_none() {
    let root = Root::new();
    root.write("key", "x");
    assert_eq!(Acl::of(File::open(root.at("key")).unwrap()), None);
    fs::create_dir(root.at("d")).unwrap();
    assert_eq!(Acl::of(File::open(root.at("d")).unwrap()), None);
}
