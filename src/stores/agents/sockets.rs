//! Where agents listen: what the environment names, and the usual places of all users.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// More directories than that at one place are not looked at.
const ENTRIES_MAX: usize = 4096;
/// More of the list of accounts is not read.
const ACCOUNTS_MAX: u64 = 1 << 20;
/// gpg-agent's own socket, and the one where it answers as ssh-agent does.
const GPG: &str = "S.gpg-agent";
const GPG_SSH: &str = "S.gpg-agent.ssh";

/// What is spoken on a socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    /// ssh-agent's.
    Ssh,
    /// GnuPG's; whether it may be asked which keys serve SSH.
    Gpg {
        /// Its home has the file that it would make for that.
        with_ssh: bool,
    },
}

/// Somewhere to ask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Socket {
    pub(super) path: PathBuf,
    pub(super) protocol: Protocol,
}

/// An account: number and home directory.
struct Account {
    uid: Vec<u8>,
    home: PathBuf,
}

/// All that are there, each once.
pub(super) fn all() -> Vec<Socket> {
    let accounts = accounts();
    let mut found = BTreeSet::new();
    found.extend(std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from));
    for directory in below(Path::new("/tmp"), "ssh-") {
        found.extend(below(&directory, "agent."));
    }
    for user in below(Path::new("/run/user"), "") {
        let usual = [
            "ssh-agent.socket",
            "openssh_agent",
            "keyring/ssh",
            "gcr/ssh",
        ];
        found.extend(usual.map(|name| user.join(name)));
    }
    let mut homes: BTreeSet<PathBuf> = below(Path::new("/home"), "").into_iter().collect();
    homes.insert(PathBuf::from("/root"));
    homes.extend(accounts.iter().map(|account| account.home.clone()));
    for home in &homes {
        found.extend(below(&home.join(".ssh/agent"), ""));
    }
    let mut sockets: Vec<Socket> = Vec::new();
    let (of_gpg, of_ssh): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|path| path.file_name() == Some(OsStr::new(GPG_SSH)));
    sockets.extend(of_ssh.into_iter().map(|path| Socket {
        path,
        protocol: Protocol::Ssh,
    }));
    let mut directories = gnupg_directories(&accounts, &homes);
    directories.extend(
        of_gpg
            .iter()
            .filter_map(|path| path.parent())
            .map(|directory| {
                let home = gnupg_home(directory, &accounts);
                (directory.to_owned(), home)
            }),
    );
    for (directory, home) in directories {
        sockets.extend(gnupg(&directory, home.as_deref()));
    }
    sockets.retain(|socket| is_socket(&socket.path));
    // Links and bind mounts lead to one agent twice. One that may be asked more goes first.
    sockets.sort_by(|a, b| {
        b.protocol
            .cmp(&a.protocol)
            .then_with(|| a.path.cmp(&b.path))
    });
    let mut known = BTreeSet::new();
    sockets.retain(|socket| {
        let path = socket.path.canonicalize();
        known.insert(path.unwrap_or_else(|_| socket.path.clone()))
    });
    sockets.sort();
    sockets
}

/// The sockets of one gpg-agent. Asked for keys that serve SSH, it makes the file `sshcontrol` in its home if there is none:
/// then nothing is asked that would do so, and the file's absence says that no key of disk is listed.
fn gnupg(directory: &Path, home: Option<&Path>) -> Vec<Socket> {
    let with_ssh = home.is_some_and(|home| home.join("sshcontrol").is_file());
    let mut sockets = vec![Socket {
        path: directory.join(GPG),
        protocol: Protocol::Gpg { with_ssh },
    }];
    if with_ssh {
        sockets.push(Socket {
            path: directory.join(GPG_SSH),
            protocol: Protocol::Ssh,
        });
    }
    sockets
}

/// Directories where a gpg-agent may listen, with its home where that is known (`gpgconf --list-dirs`): the home itself, or
/// a directory of the user's below /run.
fn gnupg_directories(
    accounts: &[Account],
    homes: &BTreeSet<PathBuf>,
) -> BTreeSet<(PathBuf, Option<PathBuf>)> {
    let mut found = BTreeSet::new();
    let named = std::env::var_os("GNUPGHOME").map(PathBuf::from);
    for home in named
        .into_iter()
        .filter(|path| path.is_absolute())
        .chain(homes.iter().map(|home| home.join(".gnupg")))
    {
        found.insert((home.clone(), Some(home)));
    }
    for user in below(Path::new("/run/user"), "") {
        let directory = user.join("gnupg");
        // For a home elsewhere, a digest of its path names the directory.
        let others = below(&directory, "d.").into_iter().map(|path| (path, None));
        found.extend(others);
        let home = gnupg_home(&directory, accounts);
        found.insert((directory, home));
    }
    found
}

/// The home of the agent that listens in this directory.
fn gnupg_home(directory: &Path, accounts: &[Account]) -> Option<PathBuf> {
    let Ok(inner) = directory.strip_prefix("/run/user") else {
        return Some(directory.to_owned());
    };
    let mut parts = inner.iter();
    let uid = parts.next()?.as_bytes();
    let usual = parts.next() == Some(OsStr::new("gnupg")) && parts.next().is_none();
    let account = accounts.iter().find(|account| account.uid == uid);
    account
        .filter(|_| usual)
        .map(|account| account.home.join(".gnupg"))
}

/// The accounts of this machine (`passwd(5)`).
fn accounts() -> Vec<Account> {
    let mut text = Vec::new();
    if let Ok(file) = File::open("/etc/passwd") {
        // What cannot be read leaves the usual homes.
        let _ = file.take(ACCOUNTS_MAX).read_to_end(&mut text);
    }
    let line = |line: &[u8]| {
        let mut fields = line.split(|b| *b == b':');
        let uid = fields.nth(2)?.to_vec();
        let home = fields
            .nth(2)
            .filter(|home| home.len() > 1 && home.starts_with(b"/"))?;
        Some(Account {
            uid,
            home: PathBuf::from(OsStr::from_bytes(home)),
        })
    };
    text.split(|b| *b == b'\n')
        .filter_map(line)
        .take(ENTRIES_MAX)
        .collect()
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|facts| facts.file_type().is_socket())
}

fn below(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .take(ENTRIES_MAX)
        .filter(|entry| entry.file_name().as_bytes().starts_with(prefix.as_bytes()))
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_without_sshcontrol_is_not_asked_for_ssh() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        let path = home.join(GPG);
        let without = Protocol::Gpg { with_ssh: false };
        let expected = [Socket {
            path: path.clone(),
            protocol: without,
        }];
        assert_eq!(gnupg(home, Some(home)), expected);
        assert_eq!(gnupg(home, None), expected);
        std::fs::write(home.join("sshcontrol"), "").unwrap();
        let found = gnupg(home, Some(home));
        assert_eq!(found[0].protocol, Protocol::Gpg { with_ssh: true });
        assert_eq!(found[1].protocol, Protocol::Ssh);
    }

    #[test]
    fn the_home_of_an_agent_below_run_is_that_of_the_account() {
        let accounts = [Account {
            uid: b"1000".to_vec(),
            home: "/home/a".into(),
        }];
        let home = |path: &str| gnupg_home(Path::new(path), &accounts);
        assert_eq!(home("/run/user/1000/gnupg"), Some("/home/a/.gnupg".into()));
        assert_eq!(home("/run/user/1000/gnupg/d.abc"), None);
        assert_eq!(home("/run/user/1001/gnupg"), None);
        assert_eq!(home("/srv/keys"), Some("/srv/keys".into()));
    }
}
