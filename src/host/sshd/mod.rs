//! What sshd makes of the files of a host: which it reads for grants, for whom, and which keys it trusts to sign.
//!
//! Account by account, from the host's own `sshd_config` and `/etc/passwd`. What depends on the connection (`Match
//! Address` and its like) perhaps holds: a file that is perhaps read counts as read, and an account that is perhaps
//! let in as let in.

mod config;
mod pattern;
mod resolve;

use super::accounts::Accounts;
use super::rooted::Rooted;
use crate::model::{GapReason, Opens, SharedText};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use config::{Applies, Config, Sure, Who};
use resolve::Resolver;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};

/// sshd_config(5), `AuthorizedKeysFile`.
const DEFAULT_GRANTS: [&[u8]; 2] = [b".ssh/authorized_keys", b".ssh/authorized_keys2"];
/// The accounts that are told of one grant; root and its like are always among them.
const OPENS_LIMIT: usize = 64;
/// The names that are told of an authority's certificates for one account.
const PRINCIPALS_LIMIT: usize = 64;
/// The greatest file of principals that is read, in bytes.
const PRINCIPALS_FILE_LIMIT: u64 = 256 << 10;
/// The greatest list of revoked keys that is read, in bytes.
const REVOKED_LIMIT: u64 = 4 << 20;
/// How a list of revoked keys in binary form begins (PROTOCOL.krl).
const KRL_MAGIC: &[u8] = b"SSHKRL\n\0";

/// sshd's view of a host.
#[derive(Debug, Default)]
pub struct Sshd {
    /// There is a configuration; else its defaults are taken.
    configured: bool,
    people: Vec<Person>,
    by_name: HashMap<String, usize>,
    /// Files of grants by their real paths, with those whose they are.
    grants: HashMap<Vec<u8>, Vec<usize>>,
    /// Files of trusted authorities, with the accounts and the names that a certificate must have one of.
    authorities: HashMap<Vec<u8>, Vec<(usize, Vec<String>)>>,
    /// Lists of revoked keys.
    revoked: HashMap<Vec<u8>, HashSet<String>>,
    remarks: Vec<Remark>,
}

/// What is not known of a host's grants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The file that says so.
    pub path: Vec<u8>,
    /// Why it is not known.
    pub reason: GapReason,
    /// What is not known.
    pub detail: String,
}

#[derive(Debug)]
struct Person {
    name: String,
    uid: u32,
    login: bool,
    /// The directive by which sshd lets it not in with any key.
    refused: Option<String>,
    /// Only keys with a command are let in.
    commands_only: bool,
    /// The lists of revoked keys that surely hold for it.
    revoked: Vec<Vec<u8>>,
}

/// What sshd does with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// `AuthorizedKeysFile`, `TrustedUserCAKeys` or `RevokedKeys`.
    pub directive: &'static str,
    /// The accounts that a key in it opens.
    pub opens: Vec<Opens>,
    /// How many more there are.
    pub opens_more: u64,
}

impl Sshd {
    pub(super) fn load(rooted: &Rooted, accounts: &Accounts) -> Self {
        let config = Config::load(rooted);
        let mut this = Self {
            configured: config.path.is_some(),
            ..Self::default()
        };
        let mut resolver = Resolver::new(rooted);
        for (account, groups) in accounts.by_name() {
            let name = account.name.as_str();
            let who = Who {
                name: name.as_bytes(),
                groups: &groups,
            };
            let applies = config.applies(who);
            let index = this.people.len();
            let of = Account {
                name,
                uid: account.uid,
                home: &account.directory,
            };
            for (path, shared) in grant_files(&config, &applies, &of) {
                // What is nobody's in particular is told of those that can use it.
                if shared && !account.login && account.uid != 0 {
                    continue;
                }
                let list = this.grants.entry(resolver.real(&path)).or_default();
                if !list.contains(&index) {
                    list.push(index);
                }
            }
            let mut revoked = Vec::new();
            if let Some(path) = only(&config, "revokedkeys", &applies) {
                let real = resolver.real(&path);
                this.load_revoked(rooted, &real);
                revoked.push(real);
            }
            if account.login || account.uid == 0 {
                this.trust(rooted, &config, &applies, &of, index, &mut resolver);
            }
            let refused = refusal(&config, &applies, who, account.uid);
            let commands_only = account.uid == 0
                && all_are(&config, "permitrootlogin", &applies, |v| {
                    v.eq_ignore_ascii_case(b"forced-commands-only")
                });
            this.by_name.insert(name.to_owned(), index);
            this.people.push(Person {
                name: name.to_owned(),
                uid: account.uid,
                login: account.login,
                refused,
                commands_only,
                revoked,
            });
        }
        this.remark(&config);
        this
    }

    /// Whether the host has a configuration of sshd.
    pub const fn is_configured(&self) -> bool {
        self.configured
    }

    /// What the configuration says that cannot be followed, each with the file that says so.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// What sshd does with a file of these paths, as regards a key of this `SHA256:…` fingerprint. `command` says
    /// whether its line has a command.
    pub fn use_of(
        &self,
        paths: &[Vec<u8>],
        fingerprint: Option<&str>,
        command: bool,
    ) -> Option<Use> {
        let opens = |&(index, ref principals): &(usize, Vec<String>)| {
            let person = self.people.get(index)?;
            let revoked = || {
                let fingerprint = fingerprint?;
                let listed = |list: &Vec<u8>| {
                    self.revoked
                        .get(list)
                        .is_some_and(|keys| keys.contains(fingerprint))
                };
                person
                    .revoked
                    .iter()
                    .find(|list| listed(list))
                    .map(|list| format!("RevokedKeys {}", String::from_utf8_lossy(list)))
            };
            let needs_command = || {
                (person.commands_only && !command)
                    .then(|| "PermitRootLogin forced-commands-only".to_owned())
            };
            let refused = person.refused.clone().or_else(revoked);
            Some(Opens {
                account: person.name.as_str().into(),
                uid: person.uid,
                no_shell: !person.login,
                // A certificate may bring its command with it.
                refused: refused
                    .or_else(|| principals.is_empty().then(needs_command).flatten())
                    .map(SharedText::from),
                principals: principals.as_slice().into(),
            })
        };
        let told = |directive, list: Vec<(usize, Vec<String>)>| {
            let mut all: Vec<Opens> = list.iter().filter_map(opens).collect();
            all.sort_by(|a, b| (a.uid, &a.account).cmp(&(b.uid, &b.account)));
            let more = all.len().saturating_sub(OPENS_LIMIT);
            all.truncate(OPENS_LIMIT);
            Use {
                directive,
                opens: all,
                opens_more: u64::try_from(more).unwrap_or(u64::MAX),
            }
        };
        let mut granted: BTreeSet<usize> = BTreeSet::new();
        let mut trusted: Vec<(usize, Vec<String>)> = Vec::new();
        for path in paths {
            granted.extend(self.grants.get(path).into_iter().flatten());
            trusted.extend(self.authorities.get(path).into_iter().flatten().cloned());
        }
        if !granted.is_empty() {
            let list = granted.into_iter().map(|index| (index, Vec::new()));
            return Some(told("AuthorizedKeysFile", list.collect()));
        }
        if !trusted.is_empty() {
            return Some(told("TrustedUserCAKeys", trusted));
        }
        let revoked = paths.iter().any(|path| self.revoked.contains_key(path));
        revoked.then(|| told("RevokedKeys", Vec::new()))
    }

    /// An account by name, without what sshd makes of it.
    pub fn account(&self, name: &str) -> Option<Opens> {
        let person = self.people.get(*self.by_name.get(name)?)?;
        Some(Opens {
            account: person.name.as_str().into(),
            uid: person.uid,
            no_shell: !person.login,
            ..Opens::default()
        })
    }

    /// The authorities that may sign for an account.
    fn trust(
        &mut self,
        rooted: &Rooted,
        config: &Config,
        applies: &Applies,
        account: &Account<'_>,
        index: usize,
        resolver: &mut Resolver<'_>,
    ) {
        let (files, _) = config.values("trustedusercakeys", applies);
        let files: BTreeSet<Vec<u8>> = files.iter().filter_map(|v| absolute(v.first()?)).collect();
        if files.is_empty() {
            return;
        }
        let principals = principals(rooted, config, applies, account);
        for path in files {
            self.authorities
                .entry(resolver.real(&path))
                .or_default()
                .push((index, principals.clone()));
        }
    }

    fn load_revoked(&mut self, rooted: &Rooted, path: &[u8]) {
        if self.revoked.contains_key(path) {
            return;
        }
        let content = rooted.read(path, REVOKED_LIMIT);
        if content.is_none() {
            self.remarks.push(Remark {
                path: path.to_vec(),
                reason: match rooted.exists(path) {
                    true => GapReason::Limit,
                    false => GapReason::IoError,
                },
                detail: "a list of revoked keys of sshd that cannot be read: which keys it refuses is not known"
                    .to_owned(),
            });
        }
        let content = content.unwrap_or_default();
        let mut keys = HashSet::new();
        if content.starts_with(KRL_MAGIC) {
            self.remarks.push(Remark {
                path: path.to_vec(),
                reason: GapReason::Unsupported,
                detail: "a revocation list (KRL) of sshd: which keys it refuses is not known"
                    .to_owned(),
            });
        } else {
            keys.extend(content.split(|b| *b == b'\n').filter_map(fingerprint));
        }
        self.revoked.insert(path.to_vec(), keys);
    }

    fn remark(&mut self, config: &Config) {
        let Some(path) = &config.path else { return };
        for (keyword, name, what) in [
            (
                "authorizedkeyscommand",
                "AuthorizedKeysCommand",
                "the grants that it gives are not seen",
            ),
            (
                "authorizedprincipalscommand",
                "AuthorizedPrincipalsCommand",
                "which certificates it accepts is not known",
            ),
        ] {
            let commands: BTreeSet<&[u8]> = config
                .anywhere(keyword)
                .filter(|v| !v.eq_ignore_ascii_case(b"none"))
                .collect();
            for command in commands {
                self.remarks.push(Remark {
                    path: path.clone(),
                    reason: GapReason::Unsupported,
                    detail: format!("{name} {}: {what}", String::from_utf8_lossy(command)),
                });
            }
        }
        if config.cut_off {
            self.remarks.push(Remark {
                path: path.clone(),
                reason: GapReason::Limit,
                detail: "files or lines beyond what is read of sshd's configuration".to_owned(),
            });
        }
        self.remarks.sort();
        self.remarks.dedup();
    }
}

/// Whose tokens are put in.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    home: &'a [u8],
}

/// The files of grants of an account, each with whether it is the same for all accounts.
fn grant_files(config: &Config, applies: &Applies, account: &Account<'_>) -> Vec<(Vec<u8>, bool)> {
    let (values, sure) = config.values("authorizedkeysfile", applies);
    let mut patterns: Vec<&[u8]> = values.into_iter().flatten().map(Vec::as_slice).collect();
    if sure == Sure::No {
        patterns.extend(DEFAULT_GRANTS);
    }
    patterns
        .into_iter()
        .filter(|p| !p.eq_ignore_ascii_case(b"none"))
        .filter_map(|pattern| {
            let shared = pattern.starts_with(b"/")
                && !pattern
                    .windows(2)
                    .any(|w| matches!(w, b"%h" | b"%u" | b"%U"));
            Some((expand(pattern, account)?, shared))
        })
        .collect()
}

/// Puts in `%%`, `%h`, `%U` and `%u` (sshd_config(5), "TOKENS"); what is relative lies in the home.
fn expand(pattern: &[u8], account: &Account<'_>) -> Option<Vec<u8>> {
    let mut path = Vec::new();
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            path.push(*byte);
            continue;
        }
        match bytes.next()? {
            b'%' => path.push(b'%'),
            b'h' => path.extend_from_slice(account.home),
            b'u' => path.extend_from_slice(account.name.as_bytes()),
            b'U' => path.extend_from_slice(account.uid.to_string().as_bytes()),
            _ => return None,
        }
    }
    if path.starts_with(b"/") {
        Some(path)
    } else {
        Some([account.home, b"/", &path].concat())
    }
}

/// A path of a directive that knows no tokens; none of `none`.
fn absolute(path: &[u8]) -> Option<Vec<u8>> {
    if path.is_empty() || path.eq_ignore_ascii_case(b"none") {
        return None;
    }
    Some(match path {
        [b'/', ..] => path.to_vec(),
        _ => [b"/", path].concat(),
    })
}

/// The path that a directive surely has.
fn only(config: &Config, keyword: &str, applies: &Applies) -> Option<Vec<u8>> {
    let (values, _) = config.values(keyword, applies);
    match values.as_slice() {
        [one] => absolute(one.first()?),
        _ => None,
    }
}

/// The names of which a certificate must have one: those of `AuthorizedPrincipalsFile`, else the account's.
fn principals(
    rooted: &Rooted,
    config: &Config,
    applies: &Applies,
    account: &Account<'_>,
) -> Vec<String> {
    let own = || vec![account.name.to_owned()];
    let (values, sure) = config.values("authorizedprincipalsfile", applies);
    let (commands, _) = config.values("authorizedprincipalscommand", applies);
    let mut names = Vec::new();
    let is_none = |v: &[Vec<u8>]| v.first().is_none_or(|p| p.eq_ignore_ascii_case(b"none"));
    for value in &values {
        if is_none(value) {
            names.extend(own());
        } else if let Some(path) = value.first().and_then(|p| expand(p, account)) {
            let content = rooted
                .read(&path, PRINCIPALS_FILE_LIMIT)
                .unwrap_or_default();
            names.extend(content.split(|b| *b == b'\n').filter_map(principal));
        }
    }
    if sure == Sure::No && commands.iter().all(|c| is_none(c)) {
        names.extend(own());
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.truncate(PRINCIPALS_LIMIT);
    names
}

/// The name on a line of `AuthorizedPrincipalsFile`, which may have options before it; `#` begins a comment wherever it stands.
fn principal(line: &[u8]) -> Option<String> {
    let name = line
        .split(|b| *b == b'#')
        .next()
        .unwrap_or_default()
        .trim_ascii()
        .rsplit(|b| b.is_ascii_whitespace())
        .next()
        .filter(|n| !n.is_empty())?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Whether each value that a keyword may have is of a kind; its default is not.
fn all_are(config: &Config, keyword: &str, applies: &Applies, is: impl Fn(&[u8]) -> bool) -> bool {
    let (values, sure) = config.values(keyword, applies);
    sure == Sure::Yes && values.iter().all(|v| v.first().is_some_and(|v| is(v)))
}

/// The directive by which sshd lets an account not in with a key.
fn refusal(config: &Config, applies: &Applies, who: Who<'_>, uid: u32) -> Option<String> {
    let no = |v: &[u8]| v.eq_ignore_ascii_case(b"no");
    if all_are(config, "pubkeyauthentication", applies, no) {
        return Some("PubkeyAuthentication no".to_owned());
    }
    if uid == 0 && all_are(config, "permitrootlogin", applies, no) {
        return Some("PermitRootLogin no".to_owned());
    }
    let (methods, sure) = config.values("authenticationmethods", applies);
    let takes_keys = |list: &Vec<u8>| {
        let mut words = list.split(|b| matches!(b, b',' | b':'));
        words.any(|w| w == b"publickey" || w == b"any")
    };
    if sure == Sure::Yes && !methods.iter().any(|v| v.iter().any(takes_keys)) {
        return Some("AuthenticationMethods without publickey".to_owned());
    }
    let name = [who.name];
    let groups: Vec<&[u8]> = who.groups.iter().map(|g| g.as_bytes()).collect();
    for (keyword, title, texts, denies) in [
        ("denyusers", "DenyUsers", &name[..], true),
        ("allowusers", "AllowUsers", &name[..], false),
        ("denygroups", "DenyGroups", &groups[..], true),
        ("allowgroups", "AllowGroups", &groups[..], false),
    ] {
        let Some(list) = config.added(keyword, applies).filter(|l| !l.is_empty()) else {
            continue;
        };
        let users = keyword.ends_with("users");
        let hit = |pattern: &&[u8]| {
            // `user@host` depends on the connection: it may let in, and surely keeps nobody out.
            let user = pattern.split(|b| *b == b'@').next().unwrap_or(pattern);
            let has_host = users && user.len() < pattern.len();
            if pattern.starts_with(b"!") || (has_host && denies) {
                return !denies;
            }
            let pattern = if has_host { user } else { pattern };
            texts.iter().any(|text| pattern::matches(pattern, text))
        };
        if list.iter().any(hit) == denies {
            return Some(title.to_owned());
        }
    }
    None
}

/// The `SHA256:…` fingerprint of the key on a line of text.
fn fingerprint(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii();
    if line.starts_with(b"#") {
        return None;
    }
    let encoded = line
        .split(u8::is_ascii_whitespace)
        .find(|word| word.starts_with(b"AAAA"))?;
    let blob = STANDARD.decode(encoded).ok()?;
    let digest = STANDARD_NO_PAD.encode(Sha256::digest(&blob));
    Some(format!("SHA256:{digest}"))
}

#[cfg(test)]
mod tests;
