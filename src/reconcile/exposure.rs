//! `exposed`, `tamperable` and `unprotected`: who can reach what.

use super::context::{Draft, KeyContext, World, file_name};
use crate::model::{Flag, Grantee, Kind, Protection, Severity, Sighting};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Judges every file that holds the key.
pub(super) fn judge(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let policy = cx.world.policy;
    let is = |kind| cx.overview.has(cx.index, kind);
    let may_be_changed = is(Kind::AuthorizedKey) || is(Kind::PublicKey);
    if !may_be_changed && !cx.overview.is_trusted(cx.index) && !cx.overview.is_in_clear(cx.index) {
        return;
    }
    // The worst per flag and place: one file may hold a key many times.
    let mut worst: BTreeMap<(Flag, String), (Severity, String)> = BTreeMap::new();
    let mut keep = |flag: Flag, s: &Sighting, severity: Severity, why: String| {
        let severity = policy.graded(flag, severity);
        match worst.entry((flag, World::place(s).to_string())) {
            Entry::Vacant(slot) => _ = slot.insert((severity, why)),
            Entry::Occupied(mut slot) if severity > slot.get().0 => {
                slot.insert((severity, why));
            }
            Entry::Occupied(_) => {}
        }
    };
    let is_ssh = || {
        cx.judged().any(|s| {
            matches!(
                s.kind,
                Kind::AuthorizedKey | Kind::KnownHost | Kind::SshCertificate
            ) || is_ssh_file(s)
        })
    };
    for s in cx.judged() {
        if s.kind.is_private() && s.protection == Some(Protection::None) {
            if let Some((severity, why)) = exposed(s) {
                keep(Flag::Exposed, s, severity, why);
            }
            if let Some(why) = unprotected(s, &is_ssh) {
                keep(Flag::Unprotected, s, Severity::Medium, why);
            }
        }
        if let Some(why) = tamperable(s) {
            keep(Flag::Tamperable, s, Severity::High, why);
        }
    }
    for ((flag, place), (severity, why)) in worst {
        out.push(Draft::new(flag, severity, why).place(place));
    }
}

/// Others: high; a group with members who log in, or one account that does: medium; else info.
fn degree(grantee: &Grantee) -> Severity {
    match grantee {
        Grantee::Others => Severity::High,
        Grantee::Group { logins, .. } if logins.is_empty() => Severity::Info,
        Grantee::Group { .. } => Severity::Medium,
        Grantee::User { login, .. } => {
            if *login {
                Severity::Medium
            } else {
                Severity::Info
            }
        }
    }
}

fn name(grantee: &Grantee) -> String {
    match grantee {
        Grantee::Others => "every account".to_owned(),
        Grantee::Group { name, logins } if logins.is_empty() => {
            format!("group {name} (no member logs in)")
        }
        Grantee::Group { name, logins } => {
            let shown: Vec<&str> = logins.iter().take(3).map(String::as_str).collect();
            let more = match logins.len().saturating_sub(3) {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            format!("group {name} ({}{more})", shown.join(", "))
        }
        Grantee::User { name, .. } => format!("account {name}"),
    }
}

fn exposed(s: &Sighting) -> Option<(Severity, String)> {
    let file = s.file.as_ref()?;
    let what = if s.kind == Kind::SymmetricKey {
        "the secret"
    } else {
        "the private key"
    };
    let place = World::place(s);
    let Some(access) = &file.access else {
        // Without the parents only the file's own mode can tell.
        let mode = file.mode.0;
        return (mode & 0o006 != 0).then(|| {
            let why = format!(
                "{what} in {place} is in clear and its mode {} lets every account in",
                file.mode
            );
            (Severity::High, why)
        });
    };
    let read = access.read.iter().map(|g| (g, "read"));
    let replace = access.replace.iter().map(|g| (g, "replace"));
    let (worst, verb) = read
        .chain(replace)
        .max_by_key(|(g, verb)| (degree(g), *verb == "read", std::cmp::Reverse((*g).clone())))?;
    let why = format!(
        "{what} in {place} is in clear, and {} can {verb} it (mode {})",
        name(worst),
        file.mode
    );
    Some((degree(worst), why))
}

/// Trust stores, grants and the CA files of sshd.
fn tamperable(s: &Sighting) -> Option<String> {
    let path = s.location.path.as_str();
    let what = match s.kind {
        Kind::AuthorizedKey if is_authority_file(s) => "the CA file of sshd",
        Kind::AuthorizedKey => "the grants",
        Kind::Certificate if is_trust_anchor(s) => "the trust store",
        Kind::PublicKey if is_sshd_ca(path) => "the CA file of sshd",
        _ => return None,
    };
    let file = s.file.as_ref()?;
    let own = [file.home_of.as_deref(), file.owner.as_deref()];
    let is_own = |name: &str| own.contains(&Some(name));
    let who = match &file.access {
        Some(access) => access.replace.iter().find_map(|grantee| match grantee {
            Grantee::Others => Some("every account".to_owned()),
            Grantee::Group { logins, .. } => {
                logins.iter().any(|l| !is_own(l)).then(|| name(grantee))
            }
            Grantee::User { name: user, .. } => (!is_own(user)).then(|| name(grantee)),
        }),
        None => {
            let mode = file.mode.0;
            (mode & 0o002 != 0).then(|| "every account".to_owned())
        }
    }?;
    Some(format!(
        "{what} in {} can be changed by {who}",
        World::place(s)
    ))
}

/// Directories and bundles that hold what the system trusts, and nothing else.
const TRUST_STORES: &[&str] = &[
    "/usr/local/share/ca-certificates/",
    "/usr/share/ca-certificates/",
    "/etc/pki/ca-trust/",
    "/etc/pki/tls/certs/ca-bundle",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/trust/",
    "/usr/share/pki/",
    "/etc/ca-certificates/",
    "/var/lib/ca-certificates/",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/certs/ca-certificates.crt",
];

/// Directories that hold trust anchors beside certificates of servers.
const MIXED_STORES: &[&str] = &[
    "/etc/ssl/certs/",
    "/etc/pki/tls/certs/",
    "/usr/lib/ssl/certs/",
];

/// Whether a certificate is where the system takes its trust anchors from, and can be one.
pub(super) fn is_trust_anchor(s: &Sighting) -> bool {
    if s.kind != Kind::Certificate {
        return false;
    }
    let path = s.location.path.as_str();
    let under = |stores: &[&str]| stores.iter().any(|store| path.starts_with(store));
    // Most certificates are a server's, in a directory of its own beneath this one.
    if let Some(rest) = path.strip_prefix("/etc/ssl/")
        && !rest.starts_with('c')
    {
        return false;
    }
    let issuer = s
        .certificate
        .as_ref()
        .is_some_and(|c| c.is_ca || c.self_signed);
    under(TRUST_STORES) || (issuer && under(MIXED_STORES))
}

/// A file that `TrustedUserCAKeys` names.
fn is_authority_file(s: &Sighting) -> bool {
    let directive = s
        .ssh
        .as_ref()
        .and_then(|ssh| ssh.rare().directive.as_deref());
    directive == Some("TrustedUserCAKeys")
}

/// A public key in sshd's directory that is no host key: what TrustedUserCAKeys and its like name.
fn is_sshd_ca(path: &str) -> bool {
    path.starts_with("/etc/ssh/") && !file_name(path).starts_with("ssh_host_")
}

/// Whether a file is one of OpenSSH's or PuTTY's by format, place or customary name.
pub(super) fn is_ssh_file(s: &Sighting) -> bool {
    let path = s.location.path.as_str();
    let format = s.format.as_ref();
    format.contains("ssh")
        || format.contains("ppk")
        || format.contains("putty")
        || path.contains("/.ssh/")
        || file_name(path).starts_with("id_")
}

/// Whether a file is an SSH host key, or a copy of one under its name.
pub(super) fn is_host_key_file(s: &Sighting) -> bool {
    let member = s
        .location
        .inside()
        .iter()
        .rev()
        .find_map(|m| m.name.as_deref());
    file_name(member.unwrap_or(&s.location.path)).starts_with("ssh_host_")
}

fn unprotected(s: &Sighting, is_ssh: &dyn Fn() -> bool) -> Option<String> {
    let what = match s.kind {
        Kind::PgpSecretKey => "OpenPGP",
        Kind::PrivateKey => "SSH",
        _ => return None,
    };
    if is_host_key_file(s) {
        return None;
    }
    let spot = match spot(s) {
        Spot::Service => return None,
        _ if s.kind == Kind::PrivateKey && !is_ssh() => return None,
        Spot::Home(name) => format!("in the home of {name}"),
        Spot::Shared => "in a shared place".to_owned(),
        Spot::Backup => "in a backup".to_owned(),
        Spot::Repository => "in a repository".to_owned(),
    };
    Some(format!(
        "the {what} private key in {} has no passphrase, {spot}",
        World::place(s)
    ))
}

/// The sort of place that a file is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot<'s> {
    /// The home of a person (or of root).
    Home(&'s str),
    Shared,
    Backup,
    Repository,
    /// A service's or the system's.
    Service,
}

/// Tells the sort of place by path, chain of members and home.
pub(super) fn spot(s: &Sighting) -> Spot<'_> {
    let path = s.location.path.as_str();
    let inside = s.location.inside();
    let members = inside.iter().filter_map(|m| m.name.as_deref());
    let names = || std::iter::once(path).chain(members.clone());
    let is_git = |part: &[u8]| part.eq_ignore_ascii_case(b".git");
    let repository =
        inside.iter().any(|m| m.container == "git") || names().any(|n| has_component(n, is_git));
    if repository {
        return Spot::Repository;
    }
    if names().any(is_backup) {
        return Spot::Backup;
    }
    if is_shared(path) {
        return Spot::Shared;
    }
    match person(s, path) {
        Some(name) => Spot::Home(name),
        None => Spot::Service,
    }
}

fn has_component(path: &str, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    path.as_bytes().split(|b| *b == b'/').any(is_wanted)
}

fn is_backup(path: &str) -> bool {
    // One byte tells of nearly every name that it is none of them.
    let is_kept = |part: &[u8]| {
        let is = |word: &str| part.eq_ignore_ascii_case(word.as_bytes());
        match part.first() {
            Some(b'b' | b'B') => is("backup") || is("backups") || is("bak"),
            Some(b'o' | b'O') => is("old"),
            _ => false,
        }
    };
    let ends_with = |ending: &str| {
        let start = path.len().checked_sub(ending.len());
        let end = start.and_then(|start| path.as_bytes().get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
    };
    let is_renamed = match path.as_bytes().last() {
        Some(b'~') => true,
        Some(b'k' | b'K') => ends_with(".bak"),
        Some(b'd' | b'D') => ends_with(".old"),
        Some(b'g' | b'G') => ends_with(".orig"),
        Some(b'p' | b'P') => ends_with(".backup"),
        Some(b'e' | b'E') => ends_with(".save"),
        _ => false,
    };
    is_renamed || has_component(path, is_kept)
}

/// Names of directories that many machines or people use.
const OF_MANY: [&str; 7] = ["share", "shared", "shares", "public", "nfs", "smb", "samba"];

fn is_shared(path: &str) -> bool {
    let temporary = ["/tmp/", "/var/tmp/", "/dev/shm/"]
        .iter()
        .any(|d| path.starts_with(d));
    let exported = ["/srv/", "/mnt/", "/media/", "/export/", "/data/"]
        .iter()
        .any(|d| path.starts_with(d));
    temporary
        || (exported
            && has_component(path, |part| {
                let is = |word: &&str| part.eq_ignore_ascii_case(word.as_bytes());
                OF_MANY.iter().any(is)
            }))
}

/// The person in whose home a file is. A service's home (Jenkins, a database) belongs to a number below
/// 1000, or is not where people's homes are.
fn person<'s>(s: &'s Sighting, path: &'s str) -> Option<&'s str> {
    if path.starts_with("/root/") {
        return Some("root");
    }
    let home = s.file.as_ref().and_then(|f| f.home_of.as_deref());
    if let Some(rest) = path.strip_prefix("/home/") {
        let directory = rest.split('/').next().unwrap_or(rest);
        return Some(home.unwrap_or(directory));
    }
    let home = home?;
    let uid = s.file.as_ref().map(|f| f.uid)?;
    let is_person = (1000..60_000).contains(&uid) || home == "root";
    is_person.then_some(home)
}
