//! One file's bytes through detection and parsing, in windows of bounded size.
//!
//! A window keeps a little of what came before it, so that a reader can look back to the start of a line or
//! of a DER object, and grows only while one object needs it. Holes of sparse files are never read.

use super::budget::{Budget, Counted};
use super::images::Heard;
use super::lines::Lines;
use super::members::Inside;
use super::seen::{self, Ear, Seen};
pub use super::window::WINDOW;
use super::window::{CHANCE_MAX, WINDOW_MAX, Window, fill, skip_hole, slide};
use crate::archives::{self, Archive, Failure, Held, Input, Slice, Source};
use crate::detect::Detector;
use crate::fields::Fields;
use crate::model::{
    Artifact, Budgets, Candidate, Clue, Effort, Encoding, EntryFacts, Fault, GapReason, Member,
    Passwords, Unlock,
};
use crate::parse::{Advance, Parser};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// The type of a member that names the field of a document.
const FIELD: &str = "field";
/// Windows of more bytes count as memory that is held.
const HELD_FROM: usize = 1 << 20;
/// The format of a public key's line, which stands in documents too.
const OPENSSH_LINE: &str = "openssh_public";

/// Takes what is found.
pub trait Sink {
    /// One thing that was understood, with its place in the source.
    fn artifact(&mut self, artifact: Artifact, offset: u64, line: Option<u64>);
    /// One thing that was recognised and not understood.
    fn fault(&mut self, reason: GapReason, offset: u64, detail: String);
    /// What is told from here on stands inside this member; its facts are inherited.
    fn enter(&mut self, member: Member, entry: Option<Arc<EntryFacts>>);
    /// The member ends.
    fn leave(&mut self);
    /// An entry without content of the archive in which the search is.
    fn bare(&mut self, _name: &[u8]) {}
    /// Whether what was entered may be a document that says how other things belong together.
    fn listens(&self) -> bool {
        false
    }
    /// Whether the names of what stands in what was entered are noted.
    fn notes_names(&self) -> bool {
        false
    }
    /// The whole text of what was entered.
    fn hear(&mut self, _text: &[u8]) {}
}

/// What holds for all bytes of one file or member.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    /// Last component of its path.
    pub(super) file_name: &'c [u8],
    /// What to try on what is closed.
    pub(super) passwords: &'c Passwords,
    /// What the whole file may cost.
    pub(super) budget: &'c Budget<'c>,
    /// How many members it stands in.
    pub(super) depth: usize,
}

/// Reads sources, one after the other, with one buffer for each depth of members.
pub struct Scanner<'a> {
    detector: &'a Detector,
    parser: &'a Parser,
    stop: &'a AtomicBool,
    budgets: Budgets,
    effort: Effort,
    seen: Option<&'a Seen>,
    buffers: Vec<Zeroizing<Vec<u8>>>,
}

impl<'a> Scanner<'a> {
    /// A scanner with its own buffers and the budgets that hold unless others are set.
    pub fn new(detector: &'a Detector, parser: &'a Parser, stop: &'a AtomicBool) -> Self {
        Self {
            detector,
            parser,
            stop,
            budgets: Budgets::default(),
            effort: Effort::new(0),
            seen: None,
            buffers: Vec::new(),
        }
    }

    /// The same with other budgets.
    #[must_use]
    pub const fn with_budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// The same with what the sweep knows of its members.
    #[must_use]
    pub const fn with_seen(mut self, seen: &'a Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// Reads one source to its end; gives how many bytes were read. What was found before an error stays told.
    /// No password is tried.
    pub fn scan(
        &mut self,
        source: &dyn Source,
        file_name: &[u8],
        sink: &mut dyn Sink,
        bytes_read: &mut u64,
    ) -> io::Result<()> {
        let none = Unlock::NONE.passwords;
        self.scan_with(source, file_name, none, sink, bytes_read)
    }

    /// The same, with passwords to try on what is closed.
    pub fn scan_with(
        &mut self,
        source: &dyn Source,
        file_name: &[u8],
        passwords: &Passwords,
        sink: &mut dyn Sink,
        bytes_read: &mut u64,
    ) -> io::Result<()> {
        self.effort.reset();
        let budgets = self.budgets;
        let budget = Budget::new(&budgets, source.size(), self.stop);
        let counted = Counted::new(source);
        let context = Context {
            file_name,
            passwords,
            budget: &budget,
            depth: 0,
        };
        let outcome = self.scan_content(&counted, context, sink);
        // Some bytes are read more than once: directories of archives, and what is digested.
        *bytes_read += counted.read().min(source.size());
        outcome
    }

    /// Searches a content that stands so deep in other things, with a budget of its own; gives how many bytes were
    /// unpacked from it.
    pub(super) fn scan_at(
        &mut self,
        source: &dyn Source,
        (file_name, depth): (&[u8], usize),
        passwords: &Passwords,
        sink: &mut dyn Sink,
    ) -> io::Result<u64> {
        self.effort.reset();
        let budgets = self.budgets;
        let budget = Budget::new(&budgets, source.size(), self.stop);
        let context = Context {
            file_name,
            passwords,
            budget: &budget,
            depth,
        };
        self.scan_content(source, context, sink)?;
        Ok(budget.expanded())
    }

    /// Searches the content of a file or member, and what archives in it hold.
    pub(super) fn scan_content(
        &mut self,
        source: &dyn Source,
        context: Context<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let heard = sink.listens().then(|| Heard::new(source));
        let content = heard.as_ref().map_or(source, |heard| heard);
        let mut ear = Ear::new(sink);
        let parts =
            |this: &mut Self, buffer: &mut _| this.scan_parts(content, buffer, context, &mut ear);
        let outcome = self.with_buffer(parts);
        if let Some(text) = heard.and_then(Heard::into_document) {
            ear.hear(&text);
        }
        if outcome.is_ok()
            && let Some(seen) = self.seen.filter(|_| !self.stop.load(Ordering::Relaxed))
        {
            ear.remember(seen, context.budget);
        }
        outcome
    }

    /// Searches bytes that are no archive. `base` is the place of the first of them for those who are told.
    pub(super) fn scan_plain(
        &mut self,
        source: &dyn Source,
        base: u64,
        context: Context<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let window = Window::with(0);
        self.with_buffer(|this, buffer| {
            this.scan_windows(source, base, buffer, window, context, sink)
        })
    }

    /// Whether a content of these bytes begins with something, or has something in it, that is worth a reader.
    pub(super) fn would_look_at(&self, bytes: &[u8]) -> bool {
        self.detector.starts(bytes).next().is_some()
            || self.detector.find(bytes, 0).is_some()
            || archives::recognise(bytes).is_some()
            || archives::may_stand_behind(bytes)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn with_buffer<T>(&mut self, scan: impl FnOnce(&mut Self, &mut Zeroizing<Vec<u8>>) -> T) -> T {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        let outcome = scan(self, &mut buffer);
        if buffer.capacity() > 4 * WINDOW {
            buffer = Zeroizing::new(Vec::new());
        }
        self.buffers.push(buffer);
        outcome
    }

    /// Searches a content that may begin with archives; what follows them is searched as if it were all.
    fn scan_parts(
        &mut self,
        source: &dyn Source,
        buffer: &mut Zeroizing<Vec<u8>>,
        context: Context<'_>,
        sink: &mut Ear<'_>,
    ) -> io::Result<()> {
        let mut base = 0;
        let mut filled = 0;
        loop {
            let part = Slice::new(source, base, u64::MAX);
            let mut window = Window::with(filled);
            fill(buffer, &part, &mut window, WINDOW)?;
            let Some(archive) = recognise(buffer, &part, &mut window)? else {
                return self.scan_windows(&part, base, buffer, window, context, sink);
            };
            if let Some((reason, detail)) =
                context.budget.keeps_closed(archive.name(), context.depth)
            {
                sink.fault(reason, base, detail);
                return self.scan_windows(&part, base, buffer, window, context, sink);
            }
            let mut start = std::mem::take(buffer);
            start.truncate(window.filled);
            let mut input = Input::new(&part, start);
            if base == 0
                && context.depth > 0
                && !sink.notes_names()
                && let Some(seen) = self.seen
                && let Some(digest) = seen::digest(&mut input, archive)?
            {
                let cost = seen.cost(&digest);
                if cost.is_some_and(|cost| cost.charge(context)) {
                    (*buffer, _) = input.into_rest();
                    return Ok(());
                }
                sink.listen(digest, context.budget);
            }
            let mut inside = Inside::new(self, context, base, sink);
            let outcome = archive.read(&mut input, &mut inside);
            let (mut rest, place) = input.into_rest();
            if rest.capacity() > 4 * WINDOW && rest.len() <= WINDOW {
                // A stream that was kept; of its bytes few are left.
                rest = Zeroizing::new(rest.to_vec());
            }
            *buffer = rest;
            filled = buffer.len();
            match outcome {
                Ok(()) if place > 0 => {
                    base += place;
                    continue;
                }
                Ok(()) | Err(Failure::NotMine) => {}
                Err(_) if context.budget.is_spent() => {
                    if let Some(detail) = context.budget.is_to_tell() {
                        sink.fault(GapReason::Limit, base + place, detail);
                    }
                    return Ok(());
                }
                Err(Failure::Stop) => return Ok(()),
                Err(Failure::Io(error)) => return Err(error),
                Err(Failure::Fault(reason, detail)) => sink.fault(reason, base + place, detail),
            }
            // What the archive could not give is searched as it lies.
            base += place;
            let part = Slice::new(source, base, u64::MAX);
            return self.scan_windows(&part, base, buffer, Window::with(filled), context, sink);
        }
    }

    /// Searches a content window by window. `base` is the place of its first byte for those who are told.
    fn scan_windows(
        &mut self,
        source: &dyn Source,
        base: u64,
        buffer: &mut Zeroizing<Vec<u8>>,
        mut window: Window,
        context: Context<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        window.base = base;
        let mut text = Text::default();
        let large = source.size() > WINDOW as u64;
        let mut needed = None;
        let (mut widest, mut held) = (HELD_FROM, None);
        // What was read already is searched even if the source ends there.
        let mut is_first = window.filled > 0;
        while is_first || !window.at_end {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            // An object that is not complete yet is read on through a hole, or it would be lost unsaid.
            let may_skip = large && needed.is_none() && !is_first;
            if may_skip && !skip_hole(source, &mut window)? {
                break;
            }
            let limit = match needed {
                Some(_) => window.filled.saturating_mul(2).clamp(WINDOW, WINDOW_MAX),
                None => WINDOW,
            };
            if limit > widest {
                // The buffer stays as large until the content ends.
                widest = limit;
                drop(held.take());
                held = Some(Held::take(limit));
            }
            fill(buffer, source, &mut window, limit)?;
            if context.budget.is_spent() {
                if let Some(detail) = context.budget.is_to_tell() {
                    sink.fault(GapReason::Limit, window.base + window.start, detail);
                }
                return Ok(());
            }
            is_first = false;
            needed = self.search(source, buffer, &mut window, &mut text, context, sink)?;
            slide(buffer, source, &mut window, &mut text.lines, needed);
        }
        Ok(())
    }

    /// Searches the window; gives the object for which more bytes are needed.
    fn search(
        &mut self,
        source: &dyn Source,
        buffer: &[u8],
        window: &mut Window,
        text: &mut Text,
        context: Context<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<Option<usize>> {
        let bytes = buffer.get(..window.filled).unwrap_or_default();
        loop {
            let opening = (window.start == 0 && window.from == 0)
                .then(|| self.detector.starts(bytes).nth(window.starts))
                .flatten();
            let Some(hit) = opening.or_else(|| self.detector.find(bytes, window.from)) else {
                break;
            };
            let candidate = Candidate {
                clue: hit.clue,
                bytes,
                at: hit.at,
                at_end: window.at_end,
                at_start: window.start == 0,
                encoding: Encoding::Binary,
                label: None,
                headers: &[],
                file_name: context.file_name,
                unlock: Unlock {
                    passwords: context.passwords,
                    effort: &self.effort,
                },
            };
            if hit.clue == Clue::DerRun && window.is_too_deep(hit.at) {
                if !std::mem::replace(&mut window.depth_told, true) {
                    let detail =
                        format!("objects that no reader knows, nested deeper than {CHANCE_MAX}");
                    sink.fault(
                        GapReason::Limit,
                        window.base + window.start + hit.at as u64,
                        detail,
                    );
                }
                window.from = hit.at + 1;
                continue;
            }
            let parsed = self.parser.examine(&candidate);
            // Behind what the start suggested, the search itself begins with the first byte.
            let next = if opening.is_some() { 0 } else { hit.at + 1 };
            window.from = match parsed.advance {
                Advance::Step => next,
                Advance::To(end) => end.max(next),
                Advance::Inside { start, end } => {
                    window.look_inside(start, end);
                    next
                }
                Advance::NeedMore { from }
                    if !window.at_end && window.filled.saturating_sub(from) < WINDOW_MAX / 2 =>
                {
                    window.from = hit.at;
                    return Ok(Some(from.min(hit.at)));
                }
                Advance::NeedMore { .. } => next,
            };
            window.starts += usize::from(opening.is_some());
            for artifact in parsed.artifacts {
                let line = matches!(artifact.encoding, Encoding::Pem | Encoding::Text)
                    .then(|| text.lines.at(source, bytes, window.start, artifact.offset))
                    .flatten();
                let offset = window.base + window.start + artifact.offset as u64;
                let field = stands_in_text(&artifact)
                    .then(|| text.fields.name(bytes, window.start, artifact.offset))
                    .flatten();
                in_field(field, offset, sink, |sink| {
                    sink.artifact(artifact, offset, line)
                });
            }
            for Fault {
                reason,
                offset,
                detail,
            } in parsed.faults
            {
                sink.fault(reason, window.base + window.start + offset as u64, detail);
            }
            for content in parsed.contents {
                let place = window.base + window.start + content.offset as u64;
                let field = text.fields.name(bytes, window.start, content.offset);
                in_field(field, place, sink, |sink| {
                    self.scan_inner(content, place, context, sink)
                })?;
            }
        }
        // A literal may begin in the last bytes of the window.
        let open = window
            .filled
            .saturating_sub(self.detector.longest().saturating_sub(1));
        window.from = window.from.max(open);
        Ok(None)
    }
}

/// Whether it is a text that stands in another, and not itself the structure of a file.
fn stands_in_text(artifact: &Artifact) -> bool {
    artifact.encoding == Encoding::Pem || artifact.format == OPENSSH_LINE
}

/// Tells something inside the field of a document, if that has a name.
fn in_field<T>(
    field: Option<String>,
    place: u64,
    sink: &mut dyn Sink,
    tell: impl FnOnce(&mut dyn Sink) -> T,
) -> T {
    let Some(name) = field else {
        return tell(sink);
    };
    sink.enter(Member::named(FIELD, name.as_bytes()).at(place), None);
    let told = tell(sink);
    sink.leave();
    told
}

/// The archive that a part is, by the bytes of it that stand in the window.
fn recognise(
    buffer: &mut Zeroizing<Vec<u8>>,
    part: &dyn Source,
    window: &mut Window,
) -> io::Result<Option<&'static dyn Archive>> {
    let start = buffer.get(..window.filled).unwrap_or_default();
    let archive = archives::recognise(start);
    if archive.is_some() || !archives::may_stand_behind(start) {
        return Ok(archive);
    }
    let mut start = std::mem::take(buffer);
    start.truncate(window.filled);
    let mut input = Input::new(part, start);
    let behind = archives::recognise_behind(&mut input);
    (*buffer, _) = input.into_rest();
    window.filled = buffer.len();
    match behind {
        Err(Failure::Io(error)) => Err(error),
        // A stream that is too large for its end to be looked at is searched as it is.
        Err(_) => Ok(None),
        Ok(behind) => Ok(behind),
    }
}

/// What is known of the text of a content.
#[derive(Default)]
struct Text {
    lines: Lines,
    fields: Fields,
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
