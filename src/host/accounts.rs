//! Accounts and groups of a host by its own `/etc/passwd` and `/etc/group` (passwd(5), group(5)).
//!
//! What comes from elsewhere (LDAP, systemd-homed) is not known here; such owners stay numbers.

use super::rooted::Rooted;
use arcstr::ArcStr;
use std::collections::HashMap;

/// The greatest account file that is read, in bytes (some 100,000 accounts).
const LIMIT: u64 = 16 << 20;

/// Directories that are no one's home even where an account names them so (Debian's system accounts do).
const NO_HOMES: &[&[u8]] = &[
    b"/",
    b"/bin",
    b"/boot",
    b"/dev",
    b"/etc",
    b"/home",
    b"/lib",
    b"/mnt",
    b"/nonexistent",
    b"/opt",
    b"/proc",
    b"/run",
    b"/sbin",
    b"/srv",
    b"/sys",
    b"/tmp",
    b"/usr",
    b"/usr/bin",
    b"/usr/lib",
    b"/usr/local",
    b"/usr/sbin",
    b"/usr/share",
    b"/var",
    b"/var/backups",
    b"/var/cache",
    b"/var/empty",
    b"/var/lib",
    b"/var/lock",
    b"/var/log",
    b"/var/mail",
    b"/var/run",
    b"/var/spool",
    b"/var/tmp",
];

/// Shells that end a session at once.
const NO_SHELLS: &[&[u8]] = &[b"nologin", b"false", b"sync", b"halt", b"shutdown"];

/// One line of `/etc/passwd`.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: ArcStr,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Its shell lets it in.
    pub(super) login: bool,
    /// The home as it is written.
    pub(super) directory: Vec<u8>,
    /// The home, where it is one of its own.
    home: Option<Vec<u8>>,
}

/// The accounts and groups of a host.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    accounts: Vec<Account>,
    /// The first account of each number, as the C library answers.
    by_uid: HashMap<u32, usize>,
    groups: HashMap<u32, ArcStr>,
    /// Members of each group, primary and supplementary, as indexes into `accounts`.
    members: HashMap<u32, Vec<usize>>,
    /// The reverse of `members`.
    memberships: HashMap<usize, Vec<u32>>,
    /// Homes with their accounts, the longest first.
    homes: Vec<(Vec<u8>, usize)>,
}

impl Accounts {
    pub(super) fn load(rooted: &Rooted) -> Self {
        let passwd = rooted.read(b"etc/passwd", LIMIT).unwrap_or_default();
        let group = rooted.read(b"etc/group", LIMIT).unwrap_or_default();
        Self::parse(&passwd, &group)
    }

    fn parse(passwd: &[u8], group: &[u8]) -> Self {
        let mut this = Self::default();
        let mut by_name = HashMap::new();
        for account in lines(passwd).filter_map(account) {
            let index = this.accounts.len();
            by_name.entry(ArcStr::clone(&account.name)).or_insert(index);
            this.by_uid.entry(account.uid).or_insert(index);
            this.join(account.gid, index);
            if let Some(home) = &account.home {
                this.homes.push((home.clone(), index));
            }
            this.accounts.push(account);
        }
        for fields in lines(group).map(fields) {
            let [name, _, gid, members, ..] = fields.as_slice() else {
                continue;
            };
            let (Some(name), Some(gid)) = (text(name), number(gid)) else {
                continue;
            };
            this.groups.entry(gid).or_insert(name);
            for member in members.split(|&b| b == b',').filter_map(text) {
                if let Some(&index) = by_name.get(&member) {
                    this.join(gid, index);
                }
            }
        }
        // Of accounts that share a home, one that can log in has it.
        let logins: Vec<bool> = this.accounts.iter().map(|a| a.login).collect();
        this.homes.sort_by_key(|(home, index)| {
            (
                std::cmp::Reverse(home.len()),
                !logins.get(*index).unwrap_or(&false),
                *index,
            )
        });
        this
    }

    fn join(&mut self, gid: u32, index: usize) {
        let groups = self.memberships.entry(index).or_default();
        if !groups.contains(&gid) {
            groups.push(gid);
            self.members.entry(gid).or_default().push(index);
        }
    }

    /// All accounts that the C library finds by name, each with the names of its groups, in the order of the file.
    pub(super) fn by_name(&self) -> impl Iterator<Item = (&Account, Vec<&str>)> {
        let mut seen = std::collections::HashSet::new();
        let first =
            move |(_, account): &(usize, &Account)| seen.insert(ArcStr::clone(&account.name));
        let accounts = self.accounts.iter().enumerate().filter(first);
        accounts.map(|(index, account)| {
            let groups = self.memberships.get(&index).into_iter().flatten();
            let names = groups.filter_map(|gid| self.groups.get(gid).map(AsRef::as_ref));
            (account, names.collect())
        })
    }

    /// The account of a number.
    pub(super) fn by_uid(&self, uid: u32) -> Option<&Account> {
        self.by_uid.get(&uid).and_then(|&i| self.accounts.get(i))
    }

    /// The name of a group.
    pub(super) fn group(&self, gid: u32) -> Option<&ArcStr> {
        self.groups.get(&gid)
    }

    /// The members of a group with all the groups of each.
    pub(super) fn members(&self, gid: u32) -> impl Iterator<Item = (&Account, &[u32])> {
        self.members
            .get(&gid)
            .into_iter()
            .flatten()
            .filter_map(|&i| {
                let groups = self.memberships.get(&i)?;
                Some((self.accounts.get(i)?, groups.as_slice()))
            })
    }

    /// All the groups of the account of a number.
    pub(super) fn groups_of(&self, uid: u32) -> &[u32] {
        self.by_uid
            .get(&uid)
            .and_then(|i| self.memberships.get(i))
            .map_or(&[], Vec::as_slice)
    }

    /// The account in whose home a path lies; the longest home decides.
    pub(super) fn home_of(&self, path: &[u8]) -> Option<&ArcStr> {
        let (_, index) = self.homes.iter().find(|(home, _)| {
            path.strip_prefix(home.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })?;
        self.accounts.get(*index).map(|account| &account.name)
    }
}

fn account(line: &[u8]) -> Option<Account> {
    let fields = fields(line);
    let [name, _, uid, gid, _, home, shell, ..] = fields.as_slice() else {
        return None;
    };
    Some(Account {
        name: text(name)?,
        uid: number(uid)?,
        gid: number(gid)?,
        login: can_log_in(shell),
        directory: home.to_vec(),
        home: home_directory(home),
    })
}

/// An empty shell field is `/bin/sh` (passwd(5)).
fn can_log_in(shell: &[u8]) -> bool {
    let program = shell.rsplit(|&b| b == b'/').next().unwrap_or(shell);
    !NO_SHELLS.contains(&program.trim_ascii())
}

fn home_directory(field: &[u8]) -> Option<Vec<u8>> {
    let mut home = field;
    while let [rest @ .., b'/'] = home {
        home = rest;
    }
    let usable =
        home.starts_with(b"/") && !NO_HOMES.contains(&home) && !home.starts_with(b"/proc/");
    usable.then(|| home.to_vec())
}

fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.splitn(8, |&b| b == b':').collect()
}

fn text(field: &[u8]) -> Option<ArcStr> {
    let name = String::from_utf8_lossy(field.trim_ascii());
    // `+` and `-` lines are those of NIS (nsswitch compat).
    (!name.is_empty() && !name.starts_with(['+', '-'])).then(|| ArcStr::from(name.as_ref()))
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/bash\n\
        daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
        sync:x:4:65534:sync:/bin:/bin/sync\n\
        postgres:x:105:112:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n\
        alice:x:1000:1000:Alice:/home/alice/:/bin/bash\n\
        alice2:x:1000:1000:same number:/home/alice:/usr/sbin/nologin\n\
        bob:x:1001:100::/home/alice/bob:\n\
        broken:x:notanumber:1::/:/bin/sh\n\
        +@nis::::::\n\
        short:x:1\n";
    const GROUP: &[u8] = b"root:x:0:\nusers:x:100:alice,nobody-such\nalice:x:1000:\nssl-cert:x:110:postgres,bob,bob\n";

    fn names<'a>(members: impl Iterator<Item = (&'a Account, &'a [u32])>) -> Vec<String> {
        members.map(|(a, _)| a.name.to_string()).collect()
    }

    #[test]
    fn names_numbers_and_members() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.by_uid(1000).unwrap().name, "alice");
        assert!(accounts.by_uid(4711).is_none());
        assert_eq!(accounts.group(110).unwrap(), "ssl-cert");
        assert_eq!(names(accounts.members(110)), ["postgres", "bob"]);
        assert_eq!(names(accounts.members(100)), ["bob", "alice"]);
        assert_eq!(accounts.groups_of(1001), [100, 110]);
    }

    #[test]
    fn shells_decide_who_logs_in() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        let login = |uid| accounts.by_uid(uid).unwrap().login;
        assert!(login(0) && login(105) && login(1000) && login(1001));
        assert!(!login(1) && !login(4));
    }

    #[test]
    fn the_longest_home_decides() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        let home = |path: &str| accounts.home_of(path.as_bytes()).map(|n| n.to_string());
        assert_eq!(home("/home/alice/.ssh/id").as_deref(), Some("alice"));
        assert_eq!(home("/home/alice/bob/x").as_deref(), Some("bob"));
        assert_eq!(home("/home/alicette/x"), None);
        assert_eq!(home("/root/.ssh/id").as_deref(), Some("root"));
        assert_eq!(
            home("/var/lib/postgresql/15/k").as_deref(),
            Some("postgres")
        );
        assert_eq!(home("/usr/sbin/x"), None);
        assert_eq!(home("/bin/x"), None);
    }

    #[test]
    fn chance_bytes_are_no_accounts() {
        let accounts = Accounts::parse(b"\xff:\xfe:1:1:::\n::::::\n:::\n\0\0", b"a:b\nc:x:9:,,\n");
        assert_eq!(accounts.by_uid(1).unwrap().name, "\u{fffd}");
        assert_eq!(accounts.members(9).count(), 0);
    }
}
