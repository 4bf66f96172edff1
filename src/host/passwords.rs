//! Texts beside a closed thing that name themselves its password.
//!
//! Operators leave them in a file of that name, in the properties of the program, or in the unit that starts it. That one
//! is there is evidence; whether it is tried is the user's choice.

use super::Host;
use super::rooted::Rooted;
use crate::model::Secret;
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};
use zeroize::Zeroizing;

/// More names than that in one directory, and none is looked at.
const NAMES_MAX: usize = 4096;
/// A file that holds nothing but a password is short.
const BARE_MAX: u64 = 4 << 10;
/// Properties and units are small.
const SETTINGS_MAX: u64 = 256 << 10;
/// A longer text is no password that a person set.
const TEXT_MAX: usize = 256;
/// More texts than that are not told of one file.
const FOUND_MAX: usize = 256;
/// Where units and their environments lie.
const UNITS: [&[u8]; 5] = [
    b"/etc/systemd/system",
    b"/usr/lib/systemd/system",
    b"/lib/systemd/system",
    b"/etc/default",
    b"/etc/sysconfig",
];

/// A name that says that the content is a password.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)passw(?:or)?d|passphrase|(?:^|[._-])(?:pass|pwd|pin|pw)(?:[._-]?file)?(?:\.txt)?$",
    )
    .ok()
});
/// An option or property that says that its value is the password of a keystore or key.
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = concat!(
        r#"(?i-u)(?:-(?:src|dest)?(?:store|key)pass(?:in)?"#,
        r#"|(?:key|trust)?[._-]?store[._-]?pass(?:word)?"#,
        r#"|(?:ssl|tls|private)?[._-]?key[._-]?(?:pass(?:word|phrase)?)"#,
        r#"|ssl[._-]?pass(?:word|phrase)?)["']?(?:\s*[=:>]\s*|\s+)["']?([^\s"'<>;&|]{1,256})"#,
    );
    Regex::new(pattern).ok()
});

/// A text that names itself a password, and the file that holds it.
#[derive(Debug)]
pub struct FoundPassword {
    /// The file, as the host sees it.
    pub path: Vec<u8>,
    /// The text.
    pub text: Arc<Secret>,
}

impl Host {
    /// To look for passwords beside files.
    pub const fn beside(&self) -> Beside<'_> {
        Beside {
            rooted: &self.rooted,
            directory: None,
            units: None,
        }
    }
}

/// Looks for texts that name themselves the password of a file. Each unit is read once, and each directory once if its files
/// are asked for one after the other.
#[derive(Debug)]
pub struct Beside<'a> {
    rooted: &'a Rooted,
    directory: Option<(Vec<u8>, Vec<Arc<FoundPassword>>)>,
    units: Option<Vec<Unit>>,
}

/// A unit, or the environment of one, that has passwords in it.
#[derive(Debug)]
struct Unit {
    content: Content,
    found: Vec<Arc<FoundPassword>>,
}

/// It may hold a password.
struct Content(Zeroizing<Vec<u8>>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(…)")
    }
}

impl Beside<'_> {
    /// The texts that name themselves a password of the file at `path`: in its directory, and in units that name it.
    pub fn passwords_for(&mut self, path: &[u8]) -> Vec<Arc<FoundPassword>> {
        let Some(slash) = memchr::memrchr(b'/', path) else {
            return Vec::new();
        };
        let directory = path.get(..slash.max(1)).unwrap_or(b"/");
        if self
            .directory
            .as_ref()
            .is_none_or(|known| known.0 != directory)
        {
            self.directory = Some((directory.to_vec(), in_directory(self.rooted, directory)));
        }
        let rooted = self.rooted;
        let units = self.units.get_or_insert_with(|| units(rooted));
        let beside = self.directory.iter().flat_map(|known| &known.1);
        let mut found: Vec<Arc<FoundPassword>> = beside
            .filter(|one| one.path != path)
            .chain(
                units
                    .iter()
                    .filter(|unit| memchr::memmem::find(&unit.content.0, path).is_some())
                    .flat_map(|unit| &unit.found),
            )
            .cloned()
            .collect();
        found.dedup_by(|a, b| a.path == b.path && a.text.expose() == b.text.expose());
        found.truncate(FOUND_MAX);
        found
    }
}

fn in_directory(rooted: &Rooted, directory: &[u8]) -> Vec<Arc<FoundPassword>> {
    let mut found = Vec::new();
    for path in files_in(rooted, directory) {
        if let Some(bytes) = content(rooted, &path) {
            let settings = in_settings(&path, &bytes);
            match bare_in(&path, &bytes).filter(|_| settings.is_empty()) {
                Some(text) => found.push(text),
                None => found.extend(settings),
            }
        }
        // One more than is told of any file.
        if found.len() > FOUND_MAX {
            break;
        }
    }
    found
}

fn units(rooted: &Rooted) -> Vec<Unit> {
    let mut known = BTreeSet::new();
    let mut units = Vec::new();
    for directory in UNITS {
        for path in files_in(rooted, directory) {
            // The directories of a merged /usr are one.
            let base = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
            if !known.insert(base.to_vec()) {
                continue;
            }
            let Some(bytes) = content(rooted, &path) else {
                continue;
            };
            let found = in_settings(&path, &bytes);
            if !found.is_empty() {
                units.push(Unit {
                    content: Content(bytes),
                    found,
                });
            }
        }
    }
    units
}

/// The paths of what lies in a directory.
fn files_in(rooted: &Rooted, directory: &[u8]) -> Vec<Vec<u8>> {
    let names = rooted.names(directory, NAMES_MAX).unwrap_or_default();
    let slash: &[u8] = if directory == b"/" { b"" } else { b"/" };
    names
        .iter()
        .map(|name| [directory, slash, &name.0].concat())
        .collect()
}

fn content(rooted: &Rooted, path: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    rooted.read(path, SETTINGS_MAX).map(Zeroizing::new)
}

/// The settings in a file that name themselves passwords.
fn in_settings(path: &[u8], bytes: &[u8]) -> Vec<Arc<FoundPassword>> {
    SETTING
        .iter()
        .flat_map(|pattern| pattern.captures_iter(bytes))
        .filter_map(|captures| Some(captures.get(1)?.as_bytes()))
        .filter(|text| !is_reference(text))
        .take(FOUND_MAX)
        .map(|text| found(path, text))
        .collect()
}

/// The password that a file holds and nothing else, if its name says so.
fn bare_in(path: &[u8], bytes: &[u8]) -> Option<Arc<FoundPassword>> {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let named = u64::try_from(bytes.len()).is_ok_and(|size| size <= BARE_MAX)
        && NAME.as_ref().is_some_and(|pattern| pattern.is_match(name));
    bare(bytes).filter(|_| named).map(|text| found(path, text))
}

fn found(path: &[u8], text: &[u8]) -> Arc<FoundPassword> {
    Arc::new(FoundPassword {
        path: path.to_vec(),
        text: Arc::new(Secret::copy_of(text)),
    })
}

/// The one line of a file that holds nothing else.
fn bare(bytes: &[u8]) -> Option<&[u8]> {
    let mut lines = bytes
        .split(|b| matches!(b, b'\n' | b'\r'))
        .filter(|line| !line.is_empty());
    let line = lines.next()?;
    let text = line.len() <= TEXT_MAX && !line.iter().any(u8::is_ascii_control);
    (text && lines.next().is_none()).then_some(line)
}

/// Whether a value only says where the password is.
fn is_reference(text: &[u8]) -> bool {
    // keytool has `-storepass:file` and `-storepass:env`.
    [&b"$"[..], b"%", b"file", b"env", b"/", b"{", b"@"]
        .iter()
        .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Vec<String> {
        let pattern = SETTING.as_ref().unwrap();
        pattern
            .captures_iter(text.as_bytes())
            .map(|found| String::from_utf8(found[1].to_vec()).unwrap())
            .filter(|text| !is_reference(text.as_bytes()))
            .collect()
    }

    #[test]
    fn settings_that_name_a_password() {
        for (text, expected) in [
            (
                "ExecStart=/usr/bin/keytool -storepass s3cret -keystore /x",
                "s3cret",
            ),
            ("server.ssl.key-store-password=s3cret", "s3cret"),
            (
                "<Connector keystoreFile=\"a\" keystorePass=\"s3cret\"/>",
                "s3cret",
            ),
            ("-Djavax.net.ssl.keyStorePassword=s3cret -jar x", "s3cret"),
            ("keystore.password: 's3cret'", "s3cret"),
            ("ssl_key_password = s3cret;", "s3cret"),
            ("<KeyStorePassword>s3cret</KeyStorePassword>", "s3cret"),
        ] {
            assert_eq!(settings(text), [expected], "{text}");
        }
        for text in [
            "keystore.password=${KEYSTORE_PASSWORD}",
            "-storepass:file /etc/pass",
            "ssl.password.file=/etc/x",
            "password=hunter2",
            "keystore=/etc/x.jks",
        ] {
            assert_eq!(settings(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn names_that_say_password() {
        let named = |name: &str| NAME.as_ref().unwrap().is_match(name.as_bytes());
        for name in [
            "keystore.password",
            "PASSWD",
            "key.pass",
            "pin.txt",
            "passphrase.txt",
            "store.pwd",
            "passwordfile",
        ] {
            assert!(named(name), "{name}");
        }
        for name in ["compass.txt", "spin", "keystore.jks", "bypass"] {
            assert!(!named(name), "{name}");
        }
    }

    #[test]
    fn one_line_alone_is_a_password() {
        assert_eq!(bare(b"s3cret\n"), Some(&b"s3cret"[..]));
        assert_eq!(bare(b"  s3cret \r\n"), Some(&b"  s3cret "[..]));
        assert_eq!(bare(b"one\ntwo\n"), None);
        assert_eq!(bare(b"\0\x01"), None);
        assert_eq!(bare(b""), None);
    }
}
