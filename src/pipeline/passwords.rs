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
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Threads; 0 is one a processor.
    pub(super) jobs: usize,
}

/// Notes beside what stayed closed which files name themselves its password, and tries these if the user wants it. Gives
/// whether it was stopped before everything was tried.
pub(super) fn look_beside(
    again: &Again<'_>,
    sightings: &mut Vec<Sighting>,
    gaps: &mut Vec<Gap>,
) -> bool {
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
    // What lies in one directory is asked for together.
    let mut closed: Vec<Vec<u8>> = closed.into_iter().collect();
    closed.sort_by(|a, b| directory(a).cmp(directory(b)));
    let mut beside = again.host.beside();
    let mut told: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    let mut work = Vec::new();
    for path in closed {
        if again.stop.load(Ordering::Relaxed) {
            return true;
        }
        let found = beside.passwords_for(&path);
        if found.is_empty() {
            continue;
        }
        let mut files: Vec<String> = found
            .iter()
            .map(|one| String::from_utf8_lossy(&one.path).into_owned())
            .collect();
        files.dedup();
        told.insert(path.clone(), files);
        let texts: Vec<Arc<Secret>> = found.iter().map(|one| one.text.clone()).collect();
        work.push((path, texts));
    }
    if told.is_empty() {
        return false;
    }
    let all_tried = !again.book.use_found || try_found(again, &work, sightings, gaps);
    for s in sightings
        .iter_mut()
        .filter(|s| s.kind == Kind::Keystore || is_closed(s) || s.opened().is_some())
    {
        for file in told.get(&s.location.exact_path()).into_iter().flatten() {
            let note = format!("{file} names itself its password");
            s.rare_mut().notes.push(note.into());
        }
    }
    !all_tried
}

fn directory(path: &[u8]) -> &[u8] {
    let slash = memchr::memrchr(b'/', path).unwrap_or_default();
    path.get(..slash).unwrap_or_default()
}

/// Tries texts that were found on the files beside which they were found, on as many threads as the sweep has: one slow
/// store must not hold the others. Gives whether all were tried.
fn try_found(
    again: &Again<'_>,
    work: &[(Vec<u8>, Vec<Arc<Secret>>)],
    sightings: &mut Vec<Sighting>,
    gaps: &mut Vec<Gap>,
) -> bool {
    let mut open_before: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for s in sightings.iter().filter(|s| s.opened().is_some()) {
        *open_before.entry(s.location.exact_path()).or_default() += 1;
    }
    let next = AtomicUsize::new(0);
    let opened = Mutex::new(BTreeMap::new());
    let threads = match again.jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(work.len()) {
            scope.spawn(|| {
                while !again.stop.load(Ordering::Relaxed)
                    && let Some((path, texts)) = work.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let mut passwords = Passwords::default();
                    passwords.add(PasswordList::Found, texts.iter().cloned());
                    // What the others open is to stay open.
                    passwords.append(again.book.for_path(path));
                    // The effort for a file may end before what opened it is tried.
                    let before = open_before.get(path).copied().unwrap_or_default();
                    if let Some(read) = read_again(again, path, &passwords)
                        && read
                            .sightings
                            .iter()
                            .filter(|s| s.opened().is_some())
                            .count()
                            > before
                    {
                        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                        opened.insert(path.clone(), read);
                    }
                }
            });
        }
    });
    let mut opened = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What is known of the file itself stays.
    for old in sightings.iter() {
        for s in opened
            .get_mut(&old.location.exact_path())
            .into_iter()
            .flat_map(|read| &mut read.sightings)
            .filter(|s| s.file.is_none())
        {
            s.file.clone_from(&old.file);
            s.class = old.class;
            s.location.path.clone_from(&old.location.path);
            let of_file = old.location.rare.as_deref().cloned().unwrap_or_default();
            s.location.change(|rare| {
                rare.path_bytes = of_file.path_bytes;
                rare.links = of_file.links;
                rare.hard_links = of_file.hard_links;
            });
        }
    }
    sightings.retain(|s| !opened.contains_key(&s.location.exact_path()));
    gaps.retain(|gap| !opened.contains_key(&gap.exact_path()));
    for read in opened.into_values() {
        sightings.extend(read.sightings);
        gaps.extend(read.gaps);
    }
    next.into_inner() >= work.len() && !again.stop.load(Ordering::Relaxed)
}

/// What a file gave when it was read once more.
struct ReadAgain {
    sightings: Vec<Sighting>,
    gaps: Vec<Gap>,
}

/// Whether private material was seen and not opened.
fn is_closed(s: &Sighting) -> bool {
    s.kind.is_private()
        && s.protection == Some(Protection::Encrypted)
        && matches!(s.key_id, None | Some(KeyId::Opaque(_)))
}

/// Reads one file once more with these passwords.
fn read_again(again: &Again<'_>, path: &[u8], passwords: &Passwords) -> Option<ReadAgain> {
    let file = again.root.open_file(path).ok()?;
    let facts = Facts::of_file(&file).ok()?;
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let mut read = ReadAgain {
        sightings: Vec::new(),
        gaps: Vec::new(),
    };
    let mut sink = FileSink {
        path,
        chain: Chain::default(),
        secret_id_key: again.secret_id_key,
        images: None,
        sightings: &mut read.sightings,
        gaps: &mut read.gaps,
    };
    let source = Plain {
        file: &file,
        size: facts.size,
    };
    let mut scanner =
        Scanner::new(again.detector, again.parser, again.stop).with_budgets(again.budgets);
    let sink: &mut dyn Sink = &mut sink;
    scanner
        .scan_with(&source, name, passwords, sink, &mut 0)
        .ok()?;
    Some(read)
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
