//! Which passwords are tried on which files, and what lies beside those that stayed closed.

use super::content::{Scanner, Sink};
use super::inside::Chain;
use super::sweep::FileSink;
use crate::archives::Source;
use crate::detect::Detector;
use crate::host::Host;
use crate::model::{
    Budgets, Gap, GapReason, KeyId, Kind, PasswordList, Passwords, Protection, Secret, Sighting,
};
use crate::parse::Parser;
use crate::walk::{Facts, HostRoot};
use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Passwords for some paths.
#[derive(Debug)]
pub struct PasswordRule {
    /// Globs over paths as the host sees them; `*` does not cross `/`, `**` does.
    pub paths: Vec<String>,
    /// What to try there, before the others.
    pub texts: Vec<Arc<Secret>>,
}

/// The passwords of a sweep.
#[derive(Debug, Default)]
pub struct PasswordBook {
    common: Passwords,
    rules: Vec<(GlobSet, Passwords)>,
    use_found: bool,
}

impl PasswordBook {
    /// `given` are tried on every file, those of the first rule that matches a path before them, and the built-in
    /// defaults last. If `use_found`, texts that are found beside a closed file are tried on it too.
    ///
    /// # Errors
    /// The pattern that is no glob, and what is wrong with it.
    pub fn new(
        given: &[Arc<Secret>],
        rules: &[PasswordRule],
        built_in: bool,
        use_found: bool,
    ) -> Result<Self, (String, String)> {
        let with_common = |mut passwords: Passwords| {
            passwords.add(PasswordList::Given, given.iter().cloned());
            if built_in {
                passwords.add_built_in();
            }
            passwords
        };
        let mut from = 1;
        let mut known = Vec::with_capacity(rules.len());
        for rule in rules {
            let mut own = Passwords::default();
            own.add_from(PasswordList::Configured, from, rule.texts.iter().cloned());
            from = from.saturating_add(u32::try_from(rule.texts.len()).unwrap_or(u32::MAX));
            known.push((globs(&rule.paths)?, with_common(own)));
        }
        Ok(Self {
            common: with_common(Passwords::default()),
            rules: known,
            use_found,
        })
    }

    /// What to try on a file.
    pub fn for_path(&self, path: &[u8]) -> &Passwords {
        if self.rules.is_empty() {
            return &self.common;
        }
        let candidate = Candidate::new(OsStr::from_bytes(path));
        let rule = self
            .rules
            .iter()
            .find(|(paths, _)| paths.is_match_candidate(&candidate));
        rule.map_or(&self.common, |(_, passwords)| passwords)
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, (String, String)> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|error| (pattern.clone(), error.kind().to_string()))?;
        set.add(glob);
    }
    set.build()
        .map_err(|error| (String::new(), error.kind().to_string()))
}

/// What is needed to read a file once more.
pub(super) struct Again<'a> {
    pub(super) book: &'a PasswordBook,
    pub(super) host: &'a Host,
    pub(super) root: &'a HostRoot,
    pub(super) detector: &'a Detector,
    pub(super) parser: &'a Parser,
    pub(super) stop: &'a AtomicBool,
    pub(super) budgets: Budgets,
    pub(super) secret_id_key: Option<&'a Secret>,
}

/// Notes beside what stayed closed which files name themselves its password, and tries these if the user wants it.
pub(super) fn look_beside(again: &Again<'_>, sightings: &mut Vec<Sighting>, gaps: &mut Vec<Gap>) {
    let closed: BTreeSet<Vec<u8>> = sightings
        .iter()
        .filter(|s| is_closed(s))
        .map(|s| s.location.exact_path())
        .chain(
            gaps.iter()
                .filter(|gap| gap.reason == GapReason::Encrypted)
                .map(Gap::exact_path),
        )
        .collect();
    let mut told: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for path in closed {
        let found = again.host.passwords_for(&path);
        if found.is_empty() {
            continue;
        }
        let mut files: Vec<String> = found
            .iter()
            .map(|one| String::from_utf8_lossy(&one.path).into_owned())
            .collect();
        files.dedup();
        if again.book.use_found {
            let mut passwords = Passwords::default();
            let texts = found.into_iter().map(|one| Arc::new(one.text));
            passwords.add(PasswordList::Found, texts);
            read_again(again, &path, &passwords, sightings, gaps);
        }
        told.insert(path, files);
    }
    if told.is_empty() {
        return;
    }
    for s in sightings
        .iter_mut()
        .filter(|s| s.kind == Kind::Keystore || is_closed(s) || s.opened.is_some())
    {
        for file in told.get(&s.location.exact_path()).into_iter().flatten() {
            let note = format!("{file} names itself its password");
            s.notes.push(note.into());
        }
    }
}

/// Whether private material was seen and not opened.
fn is_closed(s: &Sighting) -> bool {
    s.kind.is_private()
        && s.protection == Some(Protection::Encrypted)
        && matches!(s.key_id, None | Some(KeyId::Opaque(_)))
}

/// Reads one file once more with these passwords. If one of them opens something, what it gives replaces what was told.
fn read_again(
    again: &Again<'_>,
    path: &[u8],
    passwords: &Passwords,
    sightings: &mut Vec<Sighting>,
    gaps: &mut Vec<Gap>,
) {
    let Ok(file) = again.root.open_file(path) else {
        return;
    };
    let Ok(facts) = Facts::of_file(&file) else {
        return;
    };
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let (mut new, mut new_gaps) = (Vec::new(), Vec::new());
    let mut sink = FileSink {
        path,
        chain: Chain::default(),
        secret_id_key: again.secret_id_key,
        sightings: &mut new,
        gaps: &mut new_gaps,
    };
    let source = Plain {
        file: &file,
        size: facts.size,
    };
    let mut scanner =
        Scanner::new(again.detector, again.parser, again.stop).with_budgets(again.budgets);
    let sink: &mut dyn Sink = &mut sink;
    let scanned = scanner.scan_with(&source, name, passwords, sink, &mut 0);
    if scanned.is_err() || !new.iter().any(|s| s.opened.is_some()) {
        return;
    }
    // What is known of the file itself stays.
    let old = sightings.iter().find(|s| s.location.exact_path() == path);
    for s in &mut new {
        if let Some(old) = old {
            s.file.clone_from(&old.file);
            s.class = old.class;
            s.location.path.clone_from(&old.location.path);
            s.location.path_bytes.clone_from(&old.location.path_bytes);
            s.location.links.clone_from(&old.location.links);
            s.location.hard_links.clone_from(&old.location.hard_links);
        }
    }
    sightings.retain(|s| s.location.exact_path() != path);
    sightings.append(&mut new);
    gaps.retain(|gap| gap.exact_path() != path);
    gaps.append(&mut new_gaps);
}

/// An open file without holes to skip.
struct Plain<'a> {
    file: &'a File,
    size: u64,
}

impl Source for Plain<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_goes_before_the_others() {
        let secret = |text: &str| Arc::new(Secret::copy_of(text.as_bytes()));
        let rules = [
            PasswordRule {
                paths: vec!["/etc/app/**".to_owned()],
                texts: vec![secret("app")],
            },
            PasswordRule {
                paths: vec!["/etc/*".to_owned()],
                texts: vec![secret("etc")],
            },
        ];
        let book = PasswordBook::new(&[secret("given")], &rules, false, false).unwrap();
        let tried = |path: &str| -> Vec<String> {
            let passwords = book.for_path(path.as_bytes()).iter();
            passwords
                .map(|p| format!("{} {}", String::from_utf8_lossy(p.text.expose()), p.opened))
                .collect()
        };
        let given = "given password 1".to_owned();
        assert_eq!(
            tried("/etc/app/x/y.jks"),
            ["app configured password 1".to_owned(), given.clone()]
        );
        assert_eq!(
            tried("/etc/y.jks"),
            ["etc configured password 2".to_owned(), given.clone()]
        );
        assert_eq!(tried("/etc/x/y.jks"), [given]);
        assert!(
            PasswordBook::new(
                &[],
                &[PasswordRule {
                    paths: vec!["[".to_owned()],
                    texts: vec![]
                }],
                true,
                false
            )
            .is_err()
        );
    }
}
