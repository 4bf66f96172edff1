//! Git repositories, each read as a whole after the walk has met them: first all objects are searched, and only if some hold
//! anything, history is asked where they stand. Their configuration is never obeyed, and no program is run.

mod files;
mod references;
mod search;
mod tell;

use super::content::Scanner;
use super::sweep::{Progress, Request};
use crate::archives::Failure;
use crate::archives::git::{Meter, Pack};
use crate::detect::Detector;
use crate::host::Host;
use crate::model::{Gap, GapReason, Sighting};
use crate::parse::Parser;
use crate::walk::{Aliases, HostRoot, ObjectStore};
use files::{LooseFiles, Opened};
use std::sync::atomic::{AtomicBool, Ordering};

/// A blob stands in a repository: one step of the depth that is granted.
const DEPTH: usize = 1;
/// Stores that borrow from one another are followed so far, as git does.
const ALTERNATES_MAX: usize = 5;
/// Trees, commits and objects that are made twice count as well, so more is granted than to an archive.
const WORK: u64 = 2;

/// What all repositories of a sweep need.
pub(super) struct Sweeping<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) host: &'a Host,
    pub(super) root: &'a HostRoot,
    pub(super) detector: &'a Detector,
    pub(super) parser: &'a Parser,
    pub(super) progress: &'a Progress,
    pub(super) threads: usize,
}

impl<'a> Sweeping<'a> {
    fn scanner(&self) -> Scanner<'a> {
        let stop: &AtomicBool = &self.request.walk.stop;
        Scanner::new(self.detector, self.parser, stop).with_budgets(self.request.budgets)
    }

    /// What a file of this size may cost.
    fn meter(&self, size: u64) -> Meter<'a> {
        let budgets = &self.request.budgets;
        let most = size.saturating_mul(budgets.ratio).max(budgets.ratio_from);
        let most = most.saturating_mul(WORK).min(budgets.expanded);
        Meter::new(most, budgets.seconds, &self.request.walk.stop)
    }
}

/// One repository, with what it borrows.
struct Repository<'a> {
    root: &'a HostRoot,
    /// The path that is told: the repository's own directory.
    path: Vec<u8>,
    store: &'a ObjectStore,
    /// Its own packs first.
    packs: Vec<Pack>,
    pack_paths: Vec<Vec<u8>>,
    loose: LooseFiles<'a>,
    /// What searching each of its own packs may cost.
    meters: Vec<Meter<'a>>,
    /// What searching its loose objects may cost.
    loose_meter: &'a Meter<'a>,
    /// What history, and telling what was found, may cost.
    meter: &'a Meter<'a>,
}

impl Repository<'_> {
    fn pack_path(&self, number: usize) -> Vec<u8> {
        self.pack_paths.get(number).cloned().unwrap_or_default()
    }
}

/// Sweeps all repositories that the walk met; gives how many bytes were read.
pub(super) fn sweep(
    sweeping: &Sweeping<'_>,
    stores: &[ObjectStore],
    aliases: &Aliases,
    sightings: &mut Vec<Sighting>,
    gaps: &mut Vec<Gap>,
) -> u64 {
    let mut bytes = 0;
    for store in stores {
        if sweeping.request.walk.stop.load(Ordering::Relaxed) {
            break;
        }
        if store.packs.is_empty() && store.loose.is_empty() {
            // All that it has may be borrowed.
            if !sweeping.request.budgets.shallow {
                alternates(sweeping.root, store, stores, gaps);
            }
            continue;
        }
        let path = store.repository.as_ref().unwrap_or(&store.path);
        let path = aliases.canonical(path).into_owned();
        if sweeping.request.budgets.shallow {
            let mut gap = Gap::at(&path, GapReason::NotSwept, "git: left closed");
            gap.by_choice = true;
            gaps.push(gap);
            continue;
        }
        bytes += one(sweeping, store, stores, path, sightings, gaps);
    }
    bytes
}

fn one(
    sweeping: &Sweeping<'_>,
    store: &ObjectStore,
    stores: &[ObjectStore],
    path: Vec<u8>,
    sightings: &mut Vec<Sighting>,
    gaps: &mut Vec<Gap>,
) -> u64 {
    let borrowed = alternates(sweeping.root, store, stores, gaps);
    let mut opened = Packs::default();
    opened.open(sweeping.root, store, gaps);
    let (own, own_plain) = (opened.packs.len(), opened.plain.len());
    // What is wrong with a borrowed store is told where that is.
    let mut elsewhere = Vec::new();
    for other in &borrowed {
        opened.open(sweeping.root, other, &mut elsewhere);
    }
    opened.plain.truncate(own_plain);
    // Each pack has a budget of its own, as any file has. Most loose objects are smaller than a block of the file system.
    let loose_size = 4096 * store.loose.len() as u64;
    let own_size: u64 = opened.packs.iter().take(own).map(Pack::size).sum();
    let meters = opened.packs.iter().take(own).map(Pack::size);
    let meters = meters.map(|size| sweeping.meter(size)).collect();
    let (loose_meter, meter) = (
        sweeping.meter(loose_size),
        sweeping.meter(own_size + loose_size),
    );
    let repository = Repository {
        root: sweeping.root,
        path,
        store,
        packs: opened.packs,
        pack_paths: opened.paths,
        loose: LooseFiles {
            root: sweeping.root,
            stores: std::iter::once(store).chain(borrowed).collect(),
        },
        meters,
        loose_meter: &loose_meter,
        meter: &meter,
    };
    let mut found = search::search(sweeping, &repository);
    found.plain.append(&mut opened.plain);
    let bytes = found.bytes;
    let walked = &sweeping.progress.walk.bytes;
    walked.fetch_add(bytes, Ordering::Relaxed);
    if found.blobs.is_empty() && found.messages.is_empty() && found.plain.is_empty() {
        gaps.append(&mut found.gaps);
        return bytes;
    }
    let references = match &store.repository {
        Some(directory) => references::read(sweeping.root, directory),
        None => references::References::default(),
    };
    let (mut told, mut missed) = tell::tell(sweeping, &repository, &references, found);
    let count = told.len() as u64;
    sweeping.progress.found.fetch_add(count, Ordering::Relaxed);
    sightings.append(&mut told);
    gaps.append(&mut missed);
    bytes
}

/// Packs with their paths, and files that only their names make packs.
#[derive(Default)]
struct Packs {
    packs: Vec<Pack>,
    paths: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
}

impl Packs {
    fn open(&mut self, root: &HostRoot, store: &ObjectStore, gaps: &mut Vec<Gap>) {
        let inside = |name: &[u8]| [&*store.path, b"/pack/", name].concat();
        let mut names = store.packs.clone();
        names.sort();
        for name in &names {
            let path = inside(name);
            let Some(stem) = name.strip_suffix(b".pack") else {
                let stem = name.strip_suffix(b".idx").unwrap_or(name);
                let pack = [stem, b".pack"].concat();
                if names.binary_search(&pack).is_err() {
                    self.plain.push(path);
                }
                continue;
            };
            if self.packs.len() >= files::PACKS_MAX {
                let detail = format!("git: more than {} packs", files::PACKS_MAX);
                gaps.push(Gap::at(&path, GapReason::Limit, detail));
                continue;
            }
            let index = inside(&[stem, b".idx"].concat());
            match files::open_pack(root, &path, &index) {
                Ok(Opened::Pack(pack)) => {
                    self.packs.push(pack);
                    self.paths.push(path);
                }
                Ok(Opened::Plain(failure)) => {
                    gaps.extend(gap_of(&path, &failure));
                    self.plain.push(path);
                }
                Err(failure) => {
                    gaps.extend(gap_of(&path, &failure));
                    self.plain.extend([path, index]);
                }
            }
        }
    }
}

/// The stores that a store borrows from (`objects/info/alternates`), if the walk met them; else that is told.
fn alternates<'a>(
    root: &HostRoot,
    store: &ObjectStore,
    stores: &'a [ObjectStore],
    gaps: &mut Vec<Gap>,
) -> Vec<&'a ObjectStore> {
    let mut borrowed: Vec<&ObjectStore> = Vec::new();
    let mut todo = vec![(store, 0)];
    while let Some((from, level)) = todo.pop() {
        let list = [&*from.path, b"/info/alternates"].concat();
        let Ok(file) = files::FileSource::open(root, &list) else {
            continue;
        };
        let mut text = vec![0; 64 << 10];
        let count = crate::archives::Source::read_at(&file, &mut text, 0).unwrap_or(0);
        text.truncate(count);
        for line in text.split(|byte| *byte == b'\n') {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let path = match line.first() {
                Some(b'/') => line.to_vec(),
                _ => [&*from.path, b"/", line].concat(),
            };
            let met = root.resolve(&path).ok();
            let met = met.and_then(|path| stores.iter().find(|store| store.path == path));
            match met {
                Some(other) if level >= ALTERNATES_MAX => {
                    let detail = "git: object stores that borrow from too many others";
                    gaps.push(Gap::at(&other.path, GapReason::Limit, detail));
                }
                Some(other) => {
                    let is_known = other.path == store.path
                        || borrowed.iter().any(|known| known.path == other.path);
                    if !is_known {
                        borrowed.push(other);
                        todo.push((other, level + 1));
                    }
                }
                None => {
                    let detail = "git: borrows objects from a store that is not in this sweep";
                    gaps.push(Gap::at(&list, GapReason::NotSwept, detail));
                }
            }
        }
    }
    borrowed
}

/// The gap of what failed at a path; none if whoever stopped it tells so.
fn gap_of(path: &[u8], failure: &Failure) -> Option<Gap> {
    let (reason, detail) = match failure {
        Failure::Stop | Failure::NotMine => return None,
        Failure::Fault(reason, detail) => (*reason, detail.clone()),
        Failure::Io(error) => (super::sweep::reason_of(error), error.to_string()),
    };
    Some(Gap::at(path, reason, detail))
}
