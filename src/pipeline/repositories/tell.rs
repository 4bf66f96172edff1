//! Tells what the objects of a repository hold, with the commit, the path and the author.

use super::super::content::Scanner;
use super::super::inside::Chain;
use super::super::sweep::FileSink;
use super::files::FileSource;
use super::references::References;
use super::search::Findings;
use super::{Repository, Sweeping};
use crate::archives::Failure;
use crate::archives::git::{History, Kind, ObjectId, Question, Store, ask};
use crate::host::Acl;
use crate::model::{EntryFacts, Gap, Member, Sighting};
use crate::pipeline::decorate::Decorator;
use crate::walk::Facts;
use std::borrow::Cow;
use std::sync::Arc;

/// The type of the member that names a commit.
const COMMIT: &str = "git";
/// The types of the member in it: a file by its path, what no commit holds by its object's name, and its own text.
const FILE: &str = "file";
const BLOB: &str = "blob";
const MESSAGE: &str = "message";
/// A longer name of an author is cut.
const AUTHOR_MAX: usize = 200;

/// Where an object stands in the repository's history.
struct Place {
    commit: Option<ObjectId>,
    member: Member,
    notes: Vec<Cow<'static, str>>,
}

/// Tells all that was found.
pub(super) fn tell(
    sweeping: &Sweeping<'_>,
    repository: &Repository<'_>,
    references: &References,
    mut found: Findings,
) -> (Vec<Sighting>, Vec<Gap>) {
    let mut teller = Teller {
        sweeping,
        repository,
        references,
        store: Store::new(&repository.packs, &repository.loose, repository.meter),
        scanner: sweeping.scanner(),
        decorator: Decorator::new(sweeping.host, repository.root),
        sightings: Vec::new(),
        gaps: std::mem::take(&mut found.gaps),
    };
    for path in &found.plain {
        teller.plain(path);
    }
    let mut history = History::default();
    let question = Question {
        commits: &found.commits,
        wanted: &found.blobs,
        tips: &references.tips,
        references: &references.all,
    };
    let mut is_whole = true;
    if !found.blobs.is_empty()
        && let Err(failure) = ask(&question, &mut teller.store, repository.meter, &mut history)
    {
        is_whole = false;
        teller
            .gaps
            .extend(super::gap_of(&repository.path, &failure));
    }
    for blob in &found.blobs {
        let place = teller.place_of(blob, &history, is_whole);
        teller.object(blob, place);
    }
    for id in &found.messages {
        let mut notes = Vec::new();
        notes.extend(teller.author(id));
        let place = Place {
            commit: Some(*id),
            member: Member::named(MESSAGE, b""),
            notes,
        };
        teller.object(id, place);
    }
    (teller.sightings, teller.gaps)
}

struct Teller<'a> {
    sweeping: &'a Sweeping<'a>,
    repository: &'a Repository<'a>,
    references: &'a References,
    store: Store<'a>,
    scanner: Scanner<'a>,
    decorator: Decorator<'a>,
    sightings: Vec<Sighting>,
    gaps: Vec<Gap>,
}

impl Teller<'_> {
    fn place_of(&mut self, blob: &ObjectId, history: &History, is_whole: bool) -> Place {
        let mut notes = Vec::new();
        let Some(named) = history.named.get(blob) else {
            if is_whole {
                notes.push("held by no commit".into());
            }
            return Place {
                commit: None,
                member: Member::named(BLOB, blob.to_string().as_bytes()),
                notes,
            };
        };
        notes.extend(self.author(&named.commit));
        notes.push(format!("git blob {blob}").into());
        if is_whole && self.references.is_complete {
            if !history.in_tips.contains(blob) {
                notes.push("not in the tip of any branch".into());
            }
            if !history.reached.contains(&named.commit) {
                notes.push("its commit is reached from no branch, tag or stash".into());
            }
        }
        Place {
            commit: Some(named.commit),
            member: Member::named(FILE, &named.path),
            notes,
        }
    }

    fn author(&mut self, id: &ObjectId) -> Option<Cow<'static, str>> {
        let author = self.store.author(id)?;
        let who = String::from_utf8_lossy(&author.who);
        let who: String = who.chars().take(AUTHOR_MAX).collect();
        let when = jiff::Timestamp::from_second(author.time).ok()?;
        Some(format!("by {who} on {when}").into())
    }

    /// Searches one object again, and tells what it holds at its place.
    fn object(&mut self, id: &ObjectId, place: Place) {
        let name = place.member.exact_name();
        let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let mut chain = Chain::default();
        let commit = place.commit.map(|id| id.to_string()).unwrap_or_default();
        chain.enter(Member::named(COMMIT, commit.as_bytes()), None);
        let facts = EntryFacts {
            notes: place.notes,
            ..EntryFacts::default()
        };
        chain.enter(place.member, Some(Arc::new(facts)));
        let first = self.sightings.len();
        let mut sink = FileSink {
            path: &self.repository.path,
            chain,
            secret_id_key: self.sweeping.request.secret_id_key,
            images: None,
            sightings: &mut self.sightings,
            gaps: &mut self.gaps,
        };
        let passwords = self
            .sweeping
            .request
            .passwords
            .for_path(&self.repository.path);
        let scanner = &mut self.scanner;
        let outcome = self.store.content(id, |_: Kind, content| {
            let scanned = scanner.scan_at(content, (name, super::DEPTH), passwords, &mut sink);
            scanned.map_err(Failure::Io)
        });
        if let Err(failure) = outcome {
            self.gaps
                .extend(super::gap_of(&self.repository.path, &failure));
        }
        let file = match self.store.pack_of(id) {
            Some(number) => Some(self.repository.pack_path(number)),
            None => self.repository.loose.find(id),
        };
        if let Some(file) = file {
            self.decorate(first, &file);
        }
    }

    /// Searches a file that is no object as what it is.
    fn plain(&mut self, path: &[u8]) {
        let file = match FileSource::open(self.repository.root, path) {
            Ok(file) => file,
            Err(error) => return self.gaps.extend(super::gap_of(path, &Failure::Io(error))),
        };
        let first = self.sightings.len();
        let mut sink = FileSink {
            path,
            chain: Chain::default(),
            secret_id_key: self.sweeping.request.secret_id_key,
            images: None,
            sightings: &mut self.sightings,
            gaps: &mut self.gaps,
        };
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let passwords = self.sweeping.request.passwords.for_path(path);
        let mut read = 0;
        let outcome = self
            .scanner
            .scan_with(&file, name, passwords, &mut sink, &mut read);
        if let Err(error) = outcome {
            self.gaps.extend(super::gap_of(path, &Failure::Io(error)));
        }
        self.decorate(first, path);
    }

    /// What the host says of the file that holds what was told last.
    fn decorate(&mut self, first: usize, path: &[u8]) {
        let Some(found) = self.sightings.get_mut(first..).filter(|f| !f.is_empty()) else {
            return;
        };
        let Ok(file) = self.repository.root.open_file(path) else {
            return;
        };
        let Ok(facts) = Facts::of_file(&file) else {
            return;
        };
        let acl = Acl::of(&file);
        let size = facts.size;
        let mut digest = |kind: crate::host::DigestKind| {
            let reader = super::super::sweep::FromStart::new(&file);
            kind.of(reader, size).ok()
        };
        self.decorator
            .decorate(found, &[path.to_vec()], &facts, acl, &mut digest);
    }
}
