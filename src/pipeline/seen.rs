//! Members that were opened already in this sweep and held nothing: the same jar in every image is unpacked once.
//!
//! Only archives in archives are known so. To digest what is searched as it is takes longer than to search it, and one
//! that held something has to be told at each place, by what holds there.

use super::budget::Budget;
use super::content::{Context, Sink};
use crate::archives::{Archive, Failure, Input, Source};
use crate::model::{Artifact, EntryFacts, GapReason, Member};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Smaller ones are opened as fast as they are looked up; larger ones are not kept in memory.
const SIZES: std::ops::RangeInclusive<u64> = 64 << 10..=64 << 20;
/// So many are remembered, which takes some 40 MB.
const MOST: usize = 500_000;
/// How much is read at once.
const STEP: usize = 64 << 10;

/// SHA-256 of all bytes of a member.
pub(super) type Digest = [u8; 32];

/// What is known of one sweep's members.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<Digest, Cost>>);

/// What it took to find that a member holds nothing. It is charged again, so that it does not matter which copy is met first.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    expanded: u64,
    members: u64,
    /// How many members stand in one another in it.
    levels: usize,
}

impl Seen {
    /// What it cost to look into a member with these bytes, if it held nothing.
    pub(super) fn cost(&self, digest: &Digest) -> Option<Cost> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).copied()
    }

    fn insert(&self, digest: Digest, cost: Cost) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST {
            known.insert(digest, cost);
        }
    }
}

impl Cost {
    /// Charges it; false if it would not have been found out here, since less depth is left.
    pub(super) fn charge(self, context: Context<'_>) -> bool {
        let fits = context.depth + self.levels <= context.budget.depth();
        if fits {
            context.budget.charge(self.expanded, self.members);
        }
        fits
    }
}

/// The digest of a member that is an archive, if it can be read at any place, or is kept in memory to be read so.
pub(super) fn digest(input: &mut Input<'_>, archive: &dyn Archive) -> io::Result<Option<Digest>> {
    let is_kept = input.random().is_none();
    if is_kept && !archive.needs_any_place() || !is_kept && !SIZES.contains(&input.size()) {
        return Ok(None);
    }
    match input.with_random(|source| Ok(digest_of(source)?)) {
        Ok(digest) => Ok(digest),
        Err(Failure::Io(error)) => Err(error),
        // Too large for the memory that is left.
        Err(_) => Ok(None),
    }
}

fn digest_of(source: &dyn Source) -> io::Result<Option<Digest>> {
    if !SIZES.contains(&source.size()) {
        return Ok(None);
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; STEP];
    let mut at = 0;
    loop {
        let count = source.read_at(&mut buffer, at)?;
        if count == 0 {
            // A member that ends early is damaged, or its budget is used up.
            return Ok((at == source.size()).then(|| hasher.finalize().into()));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        at += count as u64;
    }
}

/// Hears whether anything is told of a member, and how deep it goes.
pub(super) struct Ear<'a> {
    sink: &'a mut dyn Sink,
    told: bool,
    level: usize,
    levels: usize,
    /// What was used of the budget before.
    before: (u64, u64),
    digest: Option<Digest>,
}

impl<'a> Ear<'a> {
    pub(super) fn new(sink: &'a mut dyn Sink) -> Self {
        Self {
            sink,
            told: false,
            level: 0,
            levels: 0,
            before: (0, 0),
            digest: None,
        }
    }

    /// Begins to listen for a member with this digest.
    pub(super) fn listen(&mut self, digest: Digest, budget: &Budget<'_>) {
        self.digest = Some(digest);
        self.before = budget.used();
    }

    /// Remembers the member if it was read to its end and nothing was told.
    pub(super) fn remember(self, seen: &Seen, budget: &Budget<'_>) {
        let Some(digest) = self.digest else {
            return;
        };
        if self.told || budget.is_spent() {
            return;
        }
        let (expanded, members) = budget.used();
        let cost = Cost {
            expanded: expanded - self.before.0,
            members: members - self.before.1,
            levels: self.levels,
        };
        seen.insert(digest, cost);
    }
}

impl Sink for Ear<'_> {
    fn artifact(&mut self, artifact: Artifact, offset: u64, line: Option<u64>) {
        self.told = true;
        self.sink.artifact(artifact, offset, line);
    }

    fn fault(&mut self, reason: GapReason, offset: u64, detail: String) {
        self.told = true;
        self.sink.fault(reason, offset, detail);
    }

    fn enter(&mut self, member: Member, entry: Option<Arc<EntryFacts>>) {
        self.level += 1;
        self.levels = self.levels.max(self.level);
        self.sink.enter(member, entry);
    }

    fn leave(&mut self) {
        self.level -= 1;
        self.sink.leave();
    }

    fn bare(&mut self, name: &[u8]) {
        self.sink.bare(name);
    }

    fn listens(&self) -> bool {
        self.sink.listens()
    }

    fn notes_names(&self) -> bool {
        self.sink.notes_names()
    }

    fn hear(&mut self, text: &[u8]) {
        // It has to be heard at each place.
        self.told = true;
        self.sink.hear(text);
    }
}
