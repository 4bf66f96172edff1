//! Which objects of a repository hold something: each is searched once, by all threads.

use super::super::content::{Scanner, Sink};
use super::files::FileSource;
use super::{Repository, Sweeping};
use crate::archives::git::{Forest, Inflater, Kind, Meter, ObjectId, Objects, Pack, loose};
use crate::archives::{Failure, Source};
use crate::model::{Artifact, EntryFacts, Gap, GapReason, Member, Unlock};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a thread takes at once, if there is enough for all.
const AT_ONCE: usize = 16;
/// Fewer things than this are not worth a thread.
const WORTH_THREADS: usize = 8;
/// As many bytes of a pack's objects wait for deltas that build on them, in all threads.
const HELD_MAX: usize = 32 << 20;
/// As many faults of one pack are told one by one.
const FAULTS_MAX: usize = 100;

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// Blobs, commits and tags that hold something.
    pub(super) blobs: BTreeSet<ObjectId>,
    pub(super) messages: BTreeSet<ObjectId>,
    pub(super) commits: Vec<ObjectId>,
    /// Files that look like objects by their names alone.
    pub(super) plain: Vec<Vec<u8>>,
    pub(super) gaps: Vec<Gap>,
    pub(super) bytes: u64,
}

impl Findings {
    fn append(&mut self, mut other: Self) {
        self.blobs.append(&mut other.blobs);
        self.messages.append(&mut other.messages);
        self.commits.append(&mut other.commits);
        self.plain.append(&mut other.plain);
        self.gaps.append(&mut other.gaps);
        self.bytes += other.bytes;
    }
}

/// Searches all objects of the repository's own packs and files.
pub(super) fn search(sweeping: &Sweeping<'_>, repository: &Repository<'_>) -> Findings {
    let mut found = Findings::default();
    let meters = repository.meters.iter();
    for (number, (pack, meter)) in repository.packs.iter().zip(meters).enumerate() {
        found.append(search_pack(sweeping, repository, number, (pack, meter)));
    }
    let ids: Vec<ObjectId> = repository
        .store
        .loose
        .iter()
        .filter_map(ObjectId::new)
        .collect();
    found.append(on_all_threads(
        sweeping,
        ids.len(),
        |range, finder| {
            for id in ids.get(range).unwrap_or_default() {
                finder.loose(repository, id)?;
            }
            Ok(())
        },
        repository,
        None,
    ));
    found.commits.sort_unstable();
    found.commits.dedup();
    found
}

fn search_pack(
    sweeping: &Sweeping<'_>,
    repository: &Repository<'_>,
    number: usize,
    (pack, meter): (&Pack, &Meter<'_>),
) -> Findings {
    let path = repository.pack_path(number);
    let mut found = Findings {
        bytes: pack.size(),
        ..Findings::default()
    };
    let mut forest = match Forest::of(pack, meter) {
        Ok(forest) => forest,
        Err(failure) => {
            found.gaps.extend(super::gap_of(&path, &failure));
            return found;
        }
    };
    let faults = forest.faults();
    let held = HELD_MAX / sweeping.threads;
    found.append(on_all_threads(
        sweeping,
        forest.len(),
        |range, finder| {
            for tree in range {
                let mut inflater = std::mem::take(&mut finder.inflater);
                let tools = (&mut inflater, meter);
                let outcome = forest.visit(pack, tree, tools, held, finder);
                finder.inflater = inflater;
                outcome?;
            }
            Ok(())
        },
        repository,
        Some(number),
    ));
    for (offset, reason, detail) in faults {
        let mut gap = Gap::at(&path, reason, detail);
        gap.offset = Some(offset);
        found.gaps.push(gap);
    }
    found.gaps.sort();
    if let Some(more) = found
        .gaps
        .len()
        .checked_sub(FAULTS_MAX)
        .filter(|more| *more > 0)
    {
        let reason = found
            .gaps
            .get(FAULTS_MAX)
            .map_or(GapReason::Malformed, |gap| gap.reason);
        found.gaps.truncate(FAULTS_MAX);
        let detail = format!("git: {more} more objects of this pack could not be read");
        found.gaps.push(Gap::at(&path, reason, detail));
    }
    found
}

/// Divides `count` things over the threads, some at once.
fn on_all_threads(
    sweeping: &Sweeping<'_>,
    count: usize,
    work: impl Fn(std::ops::Range<usize>, &mut Finder<'_>) -> Result<(), Failure> + Sync,
    repository: &Repository<'_>,
    pack: Option<usize>,
) -> Findings {
    let at_once = (count / (sweeping.threads * 8)).clamp(1, AT_ONCE);
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Findings::default());
    let run = || {
        let mut finder = Finder {
            scanner: sweeping.scanner(),
            inflater: Inflater::default(),
            meter: pack
                .and_then(|number| repository.meters.get(number))
                .unwrap_or(repository.loose_meter),
            packs: &repository.packs,
            pack,
            path: pack.map_or_else(
                || repository.store.path.clone(),
                |n| repository.pack_path(n),
            ),
            found: Findings::default(),
        };
        loop {
            let start = next.fetch_add(at_once, Ordering::Relaxed);
            if start >= count {
                break;
            }
            let range = start..count.min(start + at_once);
            if let Err(failure) = work(range, &mut finder) {
                let gap = super::gap_of(&finder.path, &failure);
                finder.found.gaps.extend(gap);
                break;
            }
        }
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(finder.found);
    };
    let threads = sweeping.threads.min(count.div_ceil(at_once));
    if threads < 2 || count < WORTH_THREADS {
        run();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(run);
            }
        });
    }
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Searches objects: one for each thread.
struct Finder<'a> {
    scanner: Scanner<'a>,
    inflater: Inflater,
    meter: &'a Meter<'a>,
    packs: &'a [Pack],
    /// The pack that is being searched.
    pack: Option<usize>,
    path: Vec<u8>,
    found: Findings,
}

impl Finder<'_> {
    fn loose(&mut self, repository: &Repository<'_>, id: &ObjectId) -> Result<(), Failure> {
        if self.is_packed(self.packs.len(), id)? {
            return Ok(());
        }
        let path = super::files::LooseFiles::path(repository.store, id);
        let outcome = FileSource::open(repository.root, &path)
            .map_err(Failure::Io)
            .and_then(|file| {
                self.found.bytes += file.size();
                loose(&file, self.meter, |kind, _, content| {
                    self.content(kind, content, |_| Ok(*id))
                })
            });
        match outcome {
            Err(Failure::NotMine) => self.found.plain.push(path),
            Err(Failure::Stop) => return Err(Failure::Stop),
            Err(failure) => self.found.gaps.extend(super::gap_of(&path, &failure)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Whether one of the first packs holds an object.
    fn is_packed(&self, before: usize, id: &ObjectId) -> Result<bool, Failure> {
        for pack in self.packs.iter().take(before) {
            if pack.index().find(id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn content(
        &mut self,
        kind: Kind,
        content: &dyn Source,
        id: impl Fn(&Self) -> Result<ObjectId, Failure>,
    ) -> Result<(), Failure> {
        if kind == Kind::Tree {
            return Ok(());
        }
        if kind == Kind::Commit {
            let id = id(self)?;
            self.found.commits.push(id);
        }
        if kind == Kind::Blob
            && let Some(number @ 1..) = self.pack
        {
            let id = id(self)?;
            if self.is_packed(number, &id)? {
                return Ok(());
            }
        }
        let mut something = Something(false);
        let none = Unlock::NONE.passwords;
        let place = (&b""[..], super::DEPTH);
        let unpacked = self.scanner.scan_at(content, place, none, &mut something);
        self.meter.take(unpacked.map_err(Failure::Io)?)?;
        if something.0 {
            let id = id(self)?;
            match kind {
                Kind::Blob => self.found.blobs.insert(id),
                _ => self.found.messages.insert(id),
            };
        }
        Ok(())
    }
}

impl Objects for Finder<'_> {
    fn object(&mut self, kind: Kind, number: u32, content: &dyn Source) -> Result<(), Failure> {
        self.content(kind, content, |this| {
            let pack = this.pack.and_then(|number| this.packs.get(number));
            Ok(pack.ok_or(Failure::Stop)?.index().id(number)?)
        })
    }

    fn fault(&mut self, offset: u64, reason: GapReason, detail: String) {
        let mut gap = Gap::at(&self.path, reason, detail);
        gap.offset = Some(offset);
        self.found.gaps.push(gap);
    }
}

/// Whether anything was found, or recognised and not understood.
struct Something(bool);

impl Sink for Something {
    fn artifact(&mut self, _: Artifact, _: u64, _: Option<u64>) {
        self.0 = true;
    }

    fn fault(&mut self, _: GapReason, _: u64, _: String) {
        self.0 = true;
    }

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

    fn leave(&mut self) {}
}
