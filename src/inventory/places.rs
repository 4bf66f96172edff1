//! Where a row allows its key to be.
//!
//! | written | means |
//! |---|---|
//! | `host:/path`, `user@host:/path`, `ssh://host/path`, `file://host/path` | that path on that host |
//! | `/path`, `file:///path` | that path on any host |
//! | `*`, `?`, `[…]` in the path | a pattern |
//! | a path that ends with `/` | everything below that directory |
//! | `~user/…` | below `/home/user`; `~/…` below every home directory and `/root` |
//! | a name or address | that whole host |
//! | `hsm:…`, `pkcs11:…`, `arn:…`, `https://…`, `\\server\share`, `Azure Key Vault` | somewhere that a sweep cannot see |

use super::hush::shape;
use super::memo::Memo;
use crate::model::EntryPlace;
use arcstr::ArcStr;

/// Most places that are taken from one cell.
const MAX_IN_CELL: usize = 10_000;

/// Hosts that stand before paths, as most of them do in many rows.
#[derive(Debug, Default)]
pub(super) struct Hosts(Memo<Option<ArcStr>>);

impl Hosts {
    /// A cell of `host:/path` and of no sign that may mean more than that, as most cells are.
    pub(super) fn plain(&mut self, cell: &str) -> Option<EntryPlace> {
        let colon = memchr::memchr(b':', cell.as_bytes())?;
        let (front, path) = (cell.get(..colon)?, cell.get(colon + 1..)?);
        if path.len() > 1_024 || !is_plain_path(path) {
            return None;
        }
        Some(EntryPlace::Exact {
            host: Some(self.0.get(front, plain_host)?),
            path: path.into(),
        })
    }
}

fn is_plain_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let mut fits = bytes.first() == Some(&b'/') && bytes.last() != Some(&b'/');
    for byte in bytes {
        fits &= PLAIN.get(usize::from(*byte)).is_some_and(|fits| *fits);
    }
    // No part is empty or `.`, which would be left out.
    fits && memchr::memchr_iter(b'/', bytes).all(|at| {
        !matches!(
            bytes.get(at + 1..).unwrap_or(&[]),
            [b'/', ..] | [b'.', b'/', ..]
        )
    })
}

/// Bytes of a path that mean nothing but themselves.
#[expect(
    clippy::indexing_slicing,
    reason = "worked out when compiling, where it cannot panic"
)]
static PLAIN: [bool; 256] = {
    let mut fits = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        fits[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'+');
        byte += 1;
    }
    fits
};

/// A name of more than one letter (a drive has one) that is a host before a path, and nothing else.
fn plain_host(front: &str) -> Option<ArcStr> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let is_plain = front.len() > 1 && front.bytes().all(fits);
    let host = certain_host(front).filter(|_| is_plain)?;
    (!is_elsewhere(&format!("{front}:/"))).then(|| host.into())
}

/// Reads a cell of places, and says what could not be read in it.
pub(super) fn read_cell(cell: &str) -> (Vec<EntryPlace>, Vec<String>) {
    let (mut places, mut faults) = (Vec::new(), Vec::new());
    for piece in pieces(cell) {
        if places.len() + faults.len() >= MAX_IN_CELL {
            faults.push("more places in one cell than are read".to_owned());
            break;
        }
        match read_piece(piece) {
            Some(mut read) => places.append(&mut read),
            None => faults.push(format!(
                "no place of a known form, as host:/path, /path, a host or hsm:… (shape {})",
                shape(piece)
            )),
        }
    }
    (places, faults)
}

/// Reads a cell of hosts: names separated by anything usual, blanks too.
pub(super) fn read_hosts(cell: &str) -> (Vec<EntryPlace>, Vec<String>) {
    let words: Vec<&str> = cell
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|'))
        .filter(|w| !w.is_empty())
        .collect();
    let hosts: Option<Vec<EntryPlace>> = words
        .iter()
        .take(MAX_IN_CELL)
        .map(|w| Some(EntryPlace::Host(certain_host(w)?.into())))
        .collect();
    match hosts {
        Some(hosts) => (hosts, Vec::new()),
        None => read_cell(cell),
    }
}

/// Splits at what never stands in a place; at commas only if every part looks like one.
fn pieces(cell: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let lines = cell.split(['\n', '\r', '|']).flat_map(|line| {
        // The attributes of a PKCS#11 URI (RFC 7512) are separated by semicolons.
        let one = line
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("pkcs11:");
        let parts: Vec<&str> = if one {
            vec![line]
        } else {
            line.split(';').collect()
        };
        parts
    });
    for part in lines {
        let by_comma: Vec<&str> = part.split(',').map(str::trim).collect();
        let paths = by_comma.iter().all(|p| has_path(p));
        let hosts = by_comma.iter().all(|p| host(p).is_some());
        if by_comma.len() > 1 && (paths || hosts) {
            pieces.extend(by_comma);
        } else {
            pieces.push(part.trim());
        }
    }
    pieces.retain(|p| !super::words::is_nothing(p));
    pieces
}

fn has_path(piece: &str) -> bool {
    piece.starts_with('/')
        || piece.starts_with("~/")
        || piece.contains(":/")
        || piece.contains(":~")
        || is_elsewhere(piece)
}

fn read_piece(piece: &str) -> Option<Vec<EntryPlace>> {
    let piece = piece.trim_matches(['"', '\'']);
    if piece.len() > 4096 {
        return None;
    }
    if piece.starts_with('/') || piece.starts_with('~') {
        return on_host(None, piece);
    }
    if let Some((scheme, rest)) = piece.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "file" | "ssh" | "sftp" | "scp" | "rsync" => url(rest),
            _ => Some(vec![EntryPlace::Elsewhere(piece.into())]),
        };
    }
    if is_elsewhere(piece) {
        return Some(vec![EntryPlace::Elsewhere(piece.into())]);
    }
    if let Some((front, path)) = piece.split_once(":/").map(|(f, p)| (f, p.len() + 1)) {
        return on_host(Some(front), piece.get(piece.len() - path..)?);
    }
    if let Some((front, path)) = piece.split_once(":~") {
        return on_host(Some(front), piece.get(piece.len() - path.len() - 1..)?);
    }
    host(piece).map(|h| vec![EntryPlace::Host(h.into())])
}

/// `host/path`, `/path`, `user@host:22/path` after a scheme.
fn url(rest: &str) -> Option<Vec<EntryPlace>> {
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let path = percent_decoded(path)?;
    let name = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let name = match name.rsplit_once(':') {
        Some((h, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => h,
        _ => name,
    };
    if path.is_empty() || path == "/" {
        return host(name).map(|h| vec![EntryPlace::Host(h.into())]);
    }
    let name = (!name.is_empty() && !name.eq_ignore_ascii_case("localhost")).then_some(name);
    on_host(name, &path)
}

fn on_host(front: Option<&str>, path: &str) -> Option<Vec<EntryPlace>> {
    let name = match front.map(str::trim) {
        None | Some("*" | "any" | "all") => None,
        Some(front) => {
            let name = front.rsplit_once('@').map_or(front, |(_, h)| h);
            Some(host_pattern(name).or_else(|| certain_host(name))?)
        }
    };
    if let Some(home) = path.strip_prefix('~') {
        let (user, rest) = home.split_once('/')?;
        if !user.is_empty() {
            let base = if user == "root" {
                "/root".to_owned()
            } else {
                format!("/home/{user}")
            };
            return Some(vec![one(name, &format!("{base}/{rest}"))]);
        }
        return Some(vec![
            one(name.clone(), &format!("/home/*/{rest}")),
            one(name, &format!("/root/{rest}")),
        ]);
    }
    Some(vec![one(name, path)])
}

fn one(host: Option<String>, path: &str) -> EntryPlace {
    let host = host.map(ArcStr::from);
    let mut clean = String::with_capacity(path.len());
    for c in path.chars() {
        if !(c == '/' && clean.ends_with('/')) {
            clean.push(c);
        }
    }
    while clean.contains("/./") {
        clean = clean.replace("/./", "/");
    }
    if clean.ends_with('/') {
        clean.push_str("**");
    }
    if clean.contains(['*', '?', '[']) {
        EntryPlace::Glob {
            host,
            pattern: clean.into(),
        }
    } else {
        EntryPlace::Exact {
            host,
            path: clean.into(),
        }
    }
}

/// A host name or address, lower case; `None` for patterns, phrases and what has a path.
/// `web*`, `db0?.example.com`: the hosts of that pattern, before a path.
fn host_pattern(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '.' | '-' | '_');
    (text.contains(['*', '?']) && text.len() <= 253 && text.chars().all(fits))
        .then(|| text.to_ascii_lowercase())
}

fn host(text: &str) -> Option<String> {
    // Words that may be a host's name, and alone in a column of locations more likely say something else.
    const SELDOM_HOSTS: &[&str] = &[
        "server",
        "servers",
        "cloud",
        "database",
        "db",
        "prod",
        "production",
        "test",
        "staging",
        "dev",
        "development",
        "internal",
        "external",
    ];
    let seldom = SELDOM_HOSTS
        .iter()
        .any(|word| text.trim().eq_ignore_ascii_case(word));
    if seldom { None } else { certain_host(text) }
}

/// A host where one is expected: before a path, or in a column of hosts.
fn certain_host(text: &str) -> Option<String> {
    const NO_HOSTS: &[&str] = &[
        "file",
        "files",
        "disk",
        "filesystem",
        "local",
        "localhost",
        "software",
        "jks",
        "pkcs12",
        "various",
        "multiple",
        "several",
        "all",
        "any",
        "everywhere",
        "yes",
        "no",
        "onprem",
        "on-prem",
        "keystore",
        "other",
    ];
    let text = text.trim().trim_end_matches('.');
    if NO_HOSTS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return None;
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner
            .parse::<std::net::Ipv6Addr>()
            .ok()
            .map(|a| a.to_string());
    }
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Some(address.to_string());
    }
    // `web01:443`
    let text = match text.split_once(':') {
        Some((name, port))
            if !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => text,
    };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let labels = text.split('.').all(|label| {
        !label.is_empty() && label.len() <= 63 && label.chars().all(fits) && !label.starts_with('-')
    });
    (labels && text.len() <= 253 && !is_elsewhere(text)).then(|| text.to_lowercase())
}

/// Whether the words name a token, a vault, a cloud, another system's path or a safe.
fn is_elsewhere(piece: &str) -> bool {
    const SCHEMES: &[&str] = &[
        "hsm",
        "pkcs11",
        "arn",
        "vault",
        "kms",
        "tpm",
        "akv",
        "urn",
        "keychain",
        "hklm",
        "hkcu",
        "token",
        "slot",
        "yubikey",
        "smartcard",
        "awskms",
        "gcpkms",
        "azurekms",
        "secretsmanager",
        "cert",
        "op",
        "s3",
        "gs",
        "ldap",
        "jceks",
        "cng",
        "ksp",
    ];
    const WORDS: &[&str] = &[
        "hsm",
        "kms",
        "vault",
        "aws",
        "azure",
        "gcp",
        "tpm",
        "smartcard",
        "yubikey",
        "token",
        "offline",
        "safe",
        "paper",
        "keychain",
        "cloudhsm",
        "keyvault",
        "acm",
        "cyberark",
        "akeyless",
        "1password",
        "bitwarden",
        "keepass",
        "keyprotect",
        "cloudkms",
        "smart",
        "hardware",
        "luna",
        "nshield",
        "escrow",
    ];
    let lower = piece.to_ascii_lowercase();
    // `C:\…` and `C:/…` are drives; in front of a slash a small letter is a host.
    if lower.starts_with("\\\\")
        || matches!(
            piece.as_bytes(),
            [b'a'..=b'z' | b'A'..=b'Z', b':', b'\\', ..] | [b'A'..=b'Z', b':', b'/', ..]
        )
    {
        return true;
    }
    if lower.contains("://") {
        let scheme = lower.split("://").next().unwrap_or("");
        return !matches!(scheme, "file" | "ssh" | "sftp" | "scp" | "rsync");
    }
    if lower.split_once(':').is_some_and(|(scheme, _)| {
        SCHEMES.contains(&scheme.trim()) || scheme.starts_with("azure") || scheme.starts_with("aws")
    }) {
        return true;
    }
    if lower.starts_with('/') || lower.contains(":/") {
        return false;
    }
    let mut words = lower
        .split(|c: char| c.is_whitespace() || matches!(c, '/' | '(' | ')' | '-' | '_' | ':'))
        .filter(|w| !w.is_empty())
        .peekable();
    let first = words.next().unwrap_or("");
    // `vault01` and `hsm-gw` are hosts; `vault` alone and phrases that begin with such a word are not.
    WORDS.contains(&first)
        && (!lower.contains(['-', '_']) || lower.contains(' ') || lower.contains('/'))
}

/// RFC 3986 percent-decoding; `None` where the outcome is no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| std::str::from_utf8(tail.get(..2)?).ok())
            .flatten()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
