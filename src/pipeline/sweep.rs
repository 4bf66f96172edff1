//! One sweep: walk, detect, parse, identify and decorate over the roots of one host.

use super::content::{Scanner, Sink};
use super::decorate::Decorator;
use super::images::{self, Gathered, Gathering};
use super::inside::Chain;
use super::live;
use super::passwords::{self, Again, PasswordBook};
use super::place;
use super::repositories;
use super::seen::Seen;
use super::shared_primes;
use super::trust;
use crate::archives::Source;
use crate::detect::Detector;
use crate::formats;
use crate::host::{Acl, DigestKind, Host};
use crate::identity;
use crate::model::sweep::SWEEP_SCHEMA;
use crate::model::{
    Artifact, Budgets, EntryFacts, Gap, GapReason, KeyId, Member, Scope, Secret, SharedText,
    Sighting, Sweep, SweepEnd, SweepHeader, location,
};
use crate::parse::Parser;
use crate::stores::{self, pkcs11::Tokens};
use crate::walk::{self, Facts, HostRoot, OpenFile, Visitor, WalkError, WalkOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What is to be swept.
pub struct Request<'a> {
    /// The host's name.
    pub host: &'a str,
    /// The directory that is the host's root.
    pub root: &'a Path,
    /// What to sweep, absolute as the host sees it.
    pub paths: &'a [Vec<u8>],
    /// How.
    pub walk: WalkOptions,
    /// What a file may cost with all that is unpacked from it.
    pub budgets: Budgets,
    /// What to try on closed things.
    pub passwords: &'a PasswordBook,
    /// The user's key under which secrets that could be guessed are named.
    pub secret_id_key: Option<&'a Secret>,
    /// Tokens to ask, if any.
    pub tokens: Option<&'a Tokens>,
    /// Whether to ask the agents of this machine.
    pub agents: bool,
    /// Name and version of the program, for the record.
    pub tool: String,
}

/// How far a sweep is.
#[derive(Debug, Default)]
pub struct Progress {
    /// How far the walk is.
    pub walk: walk::Progress,
    /// Sightings so far.
    pub found: AtomicU64,
}

/// A sweep and what is to be told beside it.
pub struct Swept {
    /// The sweep, sorted.
    pub sweep: Sweep,
    /// The kernel did not permit to leave some access times as they were.
    pub access_times_changed: bool,
}

/// Why a sweep could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The host's root cannot be opened.
    #[error("{root}: {source}")]
    Root {
        /// The directory.
        root: String,
        /// What the system said.
        source: io::Error,
    },
    /// The walk could not begin.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

/// Sweeps one host. `cause` tells, after the stop flag ended the walk, why: that becomes the gap at each root.
pub fn sweep(
    request: &Request<'_>,
    progress: &Progress,
    cause: &dyn Fn() -> (GapReason, String),
) -> Result<Swept, SweepError> {
    let started = jiff::Timestamp::now();
    let root = HostRoot::open(request.root).map_err(|source| SweepError::Root {
        root: request.root.display().to_string(),
        source,
    })?;
    let host = Host::load(request.root);
    let detector = Detector::shared();
    let parser = Parser::new(formats::ALL);
    let stop: &AtomicBool = &request.walk.stop;
    let seen = Seen::default();
    let gathering = Gathering::default();
    let outcome = walk::walk(&root, request.paths, &request.walk, &progress.walk, || {
        FileReader {
            scanner: Scanner::new(detector, &parser, stop)
                .with_budgets(request.budgets)
                .with_seen(&seen),
            passwords: request.passwords,
            secret_id_key: request.secret_id_key,
            decorator: Decorator::new(&host, &root),
            progress,
            images: Gathered::new(&gathering),
            sightings: Vec::new(),
            gaps: Vec::new(),
            bytes: 0,
        }
    })?;
    let mut sightings = Vec::new();
    let mut gaps = Vec::new();
    let mut gathered = Vec::new();
    let mut bytes = 0;
    for mut reader in outcome.visitors {
        gathered.push(reader.images);
        sightings.append(&mut reader.sightings);
        gaps.append(&mut reader.gaps);
        bytes += reader.bytes;
    }
    tell_all_paths(&mut sightings, &outcome.aliases, &host, &root);
    let stopped_beside = passwords::look_beside(
        &Again {
            book: request.passwords,
            host: &host,
            root: &root,
            detector,
            parser: &parser,
            stop,
            budgets: request.budgets,
            secret_id_key: request.secret_id_key,
            jobs: request.walk.jobs,
        },
        &mut sightings,
        &mut gaps,
    );
    images::relate(
        gathered,
        (&root, &outcome.aliases),
        &mut sightings,
        &mut gaps,
    );
    bytes += repositories::sweep(
        &repositories::Sweeping {
            request,
            host: &host,
            root: &root,
            detector,
            parser: &parser,
            progress,
            threads: threads(request.walk.jobs),
        },
        &outcome.object_stores,
        &outcome.aliases,
        &mut sightings,
        &mut gaps,
    );
    tell_links(&mut sightings, &outcome.links, &outcome.aliases);
    trust::tell(&host, request.paths, &mut sightings, &mut gaps);
    let stopped_within = !outcome.object_stores.is_empty() && stop.load(Ordering::Relaxed);
    if outcome.stopped || stopped_beside || stopped_within {
        let (reason, detail) = cause();
        gaps.extend(
            request
                .paths
                .iter()
                .map(|path| Gap::at(path, reason, detail.clone())),
        );
    }
    let tokens = request.tokens.map(stores::pkcs11::ask);
    let agents = request.agents.then(stores::agents::ask);
    live::add(
        tokens.into_iter().chain(agents).collect(),
        request.secret_id_key,
        &mut sightings,
        &mut gaps,
    );
    identity::fill_probable_keys(&mut sightings);
    shared_primes::tell(&mut sightings);
    sort(&mut sightings, &mut gaps);
    let end = end_of(&sightings, &gaps, outcome.directories, outcome.files, bytes);
    Ok(Swept {
        sweep: Sweep {
            header: SweepHeader {
                schema: SWEEP_SCHEMA.to_owned(),
                tool: request.tool.clone(),
                host: request.host.to_owned(),
                machine_id: host.machine_id(),
                roots: request
                    .paths
                    .iter()
                    .map(|path| String::from_utf8_lossy(path).into())
                    .collect(),
                started,
                options: options_of(request),
            },
            sightings: sightings.into_iter().map(Box::new).collect(),
            gaps,
            end: Some(end),
        },
        access_times_changed: outcome.noatime_refused,
    })
}

fn threads(jobs: usize) -> usize {
    match jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    }
}

/// The visitor of one thread.
struct FileReader<'a> {
    scanner: Scanner<'a>,
    passwords: &'a PasswordBook,
    secret_id_key: Option<&'a Secret>,
    decorator: Decorator<'a>,
    progress: &'a Progress,
    images: Gathered,
    sightings: Vec<Sighting>,
    gaps: Vec<Gap>,
    bytes: u64,
}

impl Visitor for FileReader<'_> {
    fn file(&mut self, file: &OpenFile<'_>) {
        let first = self.sightings.len();
        let mut sink = FileSink {
            path: file.path(),
            chain: Chain::default(),
            secret_id_key: self.secret_id_key,
            images: Some(&mut self.images),
            sightings: &mut self.sightings,
            gaps: &mut self.gaps,
        };
        let mut read = 0;
        let outcome = self.scanner.scan_with(
            &Content(file),
            file.file_name(),
            self.passwords.for_path(file.path()),
            &mut sink,
            &mut read,
        );
        self.images.end();
        self.bytes += read;
        self.progress.walk.bytes.fetch_add(read, Ordering::Relaxed);
        if let Err(error) = outcome {
            self.gaps
                .push(Gap::at(file.path(), reason_of(&error), error.to_string()));
        }
        let Some(found) = self
            .sightings
            .get_mut(first..)
            .filter(|found| !found.is_empty())
        else {
            return;
        };
        self.progress
            .found
            .fetch_add(found.len() as u64, Ordering::Relaxed);
        let size = file.facts().size;
        self.decorator.decorate(
            found,
            &[file.path().to_vec()],
            file.facts(),
            Acl::of(file),
            &mut |kind| kind.of(Reader { file, at: 0 }, size).ok(),
        );
    }

    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
}

pub(super) fn reason_of(error: &io::Error) -> GapReason {
    match error.kind() {
        io::ErrorKind::PermissionDenied => GapReason::PermissionDenied,
        io::ErrorKind::NotFound | io::ErrorKind::StaleNetworkFileHandle => GapReason::Vanished,
        _ => GapReason::IoError,
    }
}

pub(super) struct FileSink<'a> {
    pub(super) path: &'a [u8],
    pub(super) chain: Chain,
    pub(super) secret_id_key: Option<&'a Secret>,
    /// What hears along for images, if anybody does.
    pub(super) images: Option<&'a mut Gathered>,
    pub(super) sightings: &'a mut Vec<Sighting>,
    pub(super) gaps: &'a mut Vec<Gap>,
}

impl Sink for FileSink<'_> {
    fn artifact(&mut self, artifact: Artifact, offset: u64, line: Option<u64>) {
        let mut sighting =
            place::sighting_inside(artifact, offset, line, &self.chain, self.secret_id_key);
        let (path, path_bytes) = location::name_parts(self.path);
        sighting.location.path = path.into();
        if let Some(bytes) = path_bytes {
            let bytes = Some(bytes.into());
            sighting.location.change(|rare| rare.path_bytes = bytes);
        }
        self.sightings.push(sighting);
    }

    fn fault(&mut self, reason: GapReason, offset: u64, detail: String) {
        let mut gap = Gap::at(self.path, reason, detail);
        gap.offset = Some(offset);
        gap.inside = self.chain.members().to_vec();
        gap.by_choice = reason == GapReason::NotSwept;
        self.gaps.push(gap);
    }

    fn enter(&mut self, member: Member, entry: Option<Arc<EntryFacts>>) {
        if let Some(images) = &mut self.images {
            images.enter(self.path, self.chain.members(), &member);
        }
        self.chain.enter(member, entry);
    }

    fn leave(&mut self) {
        self.chain.leave();
        if let Some(images) = &mut self.images {
            images.left_to(self.chain.members().len());
        }
    }

    fn bare(&mut self, name: &[u8]) {
        if let Some(images) = &mut self.images {
            images.entry(self.path, self.chain.members(), name);
        }
    }

    fn listens(&self) -> bool {
        let images = self.images.as_ref();
        images.is_some_and(|images| images.listens(self.path, self.chain.members()))
    }

    fn notes_names(&self) -> bool {
        let images = self.images.as_ref();
        images.is_some_and(|images| images.notes_names(self.path, self.chain.members()))
    }

    fn hear(&mut self, text: &[u8]) {
        if let Some(images) = &mut self.images {
            images.hear(self.path, self.chain.members(), text);
        }
    }
}

/// An open file as bytes to be scanned.
struct Content<'a>(&'a OpenFile<'a>);

impl Source for Content<'_> {
    fn size(&self) -> u64 {
        self.0.facts().size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        // Asking costs a system call for each window: only files with holes are worth it.
        if self.0.facts().allocated >= self.0.facts().size {
            return Ok(Some(offset));
        }
        self.0.next_data(offset)
    }
}

/// An open file as a stream from its start.
struct Reader<'a> {
    file: &'a OpenFile<'a>,
    at: u64,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Files that were met by several paths: the smallest is told, the others are its hard links, and who can reach
/// any of them can reach the file.
fn tell_all_paths(
    sightings: &mut [Sighting],
    aliases: &walk::Aliases,
    host: &Host,
    root: &HostRoot,
) {
    if aliases.is_empty() {
        return;
    }
    let mut decorator = Decorator::new(host, root);
    for file in sightings.chunk_by_mut(|a, b| {
        a.location.path == b.location.path && a.location.path_bytes() == b.location.path_bytes()
    }) {
        let Some(met) = file.first().map(|s| s.location.exact_path()) else {
            continue;
        };
        let Some(paths) = aliases.paths_of(&met) else {
            continue;
        };
        let mut shown = paths.iter().map(|path| location::name_parts(path));
        let Some((path, path_bytes)) = shown.next() else {
            continue;
        };
        let path = SharedText::from(path);
        let others: Arc<[SharedText]> = shown.map(|(path, _)| path.into()).collect();
        for sighting in file.iter_mut() {
            sighting.location.path = path.clone();
            sighting.location.change(|rare| {
                rare.path_bytes = path_bytes.as_deref().map(Box::from);
                rare.hard_links = Arc::clone(&others);
            });
        }
        // Judged anew, so that it does not matter which path a thread met first.
        if let Some(opened) = paths.first().and_then(|path| root.open_file(path).ok())
            && let Ok(facts) = Facts::of_file(&opened)
        {
            let acl = Acl::of(&opened);
            let mut digest = |kind: DigestKind| kind.of(FromStart::new(&opened), facts.size).ok();
            decorator.decorate(file, &paths, &facts, acl, &mut digest);
        }
    }
}

pub(super) struct FromStart<'a> {
    file: &'a std::fs::File,
    at: u64,
}

impl<'a> FromStart<'a> {
    pub(super) const fn new(file: &'a std::fs::File) -> Self {
        Self { file, at: 0 }
    }
}

impl io::Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

fn tell_links(sightings: &mut [Sighting], links: &walk::Links, aliases: &walk::Aliases) {
    let found: BTreeSet<Vec<u8>> = sightings.iter().map(|s| s.location.exact_path()).collect();
    let told = links.to_files(&found, aliases, false);
    if told.is_empty() {
        return;
    }
    for sighting in sightings {
        if let Some(paths) = told.get(&sighting.location.exact_path()) {
            let paths = paths.iter();
            let paths = paths.map(|path| String::from_utf8_lossy(path).into());
            sighting
                .location
                .change(|rare| rare.links = paths.collect());
        }
    }
}

/// The order of the contract: path bytes, inside, offset, kind.
fn sort(sightings: &mut [Sighting], gaps: &mut Vec<Gap>) {
    fn place(s: &Sighting) -> impl Ord + '_ {
        let path = s.location.exact_path_bytes();
        (path, s.location.inside(), s.location.offset, s.kind)
    }
    fn what(s: &Sighting) -> impl Ord + '_ {
        (&s.key_id, s.fingerprints.cert_sha256())
    }
    sightings.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| what(a).cmp(&what(b))));
    gaps.sort_by_cached_key(|gap| (gap.exact_path(), gap.clone()));
    gaps.dedup();
}

fn end_of(
    sightings: &[Sighting],
    gaps: &[Gap],
    directories: u64,
    files: u64,
    bytes: u64,
) -> SweepEnd {
    let keys: BTreeSet<&KeyId> = sightings.iter().filter_map(|s| s.key_id.as_ref()).collect();
    let mut by_reason: BTreeMap<GapReason, u64> = BTreeMap::new();
    for gap in gaps {
        *by_reason.entry(gap.reason).or_default() += 1;
    }
    SweepEnd {
        finished: jiff::Timestamp::now(),
        directories,
        files,
        bytes,
        sightings: sightings.len() as u64,
        keys: keys.len() as u64,
        complete: !gaps.iter().any(|gap| gap.reason.makes_incomplete()),
        scope: if gaps.iter().any(|gap| gap.by_choice) {
            Scope::Reduced
        } else {
            Scope::Full
        },
        gaps: by_reason,
        sha256: String::new(),
    }
}

/// The options that shape what is covered, as far as they were given.
fn options_of(request: &Request<'_>) -> BTreeMap<String, serde_json::Value> {
    let walk = &request.walk;
    let mut options = BTreeMap::new();
    let mut set = |name: &str, value: serde_json::Value| options.insert(name.to_owned(), value);
    if !walk.exclude.is_empty() {
        set("exclude", walk.exclude.clone().into());
    }
    if let Some(depth) = walk.max_depth {
        set("max_depth", depth.into());
    }
    for (name, given) in [
        ("one_file_system", walk.one_file_system),
        ("network_mounts", walk.network_mounts),
        ("fuse", walk.fuse),
        ("shallow", request.budgets.shallow),
    ] {
        if given {
            set(name, true.into());
        }
    }
    options
}
