//! One file's bytes through detection and parsing, in windows of bounded size.
//!
//! A window keeps a little of what came before it, so that a reader can look back to the start of a line or
//! of a DER object, and grows only while one object needs it. Holes of sparse files are never read.

use super::budget::{Budget, Counted};
use super::members::Inside;
use crate::archives::{self, Archive, Failure, Input, Slice, Source};
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

/// How much is read at once, and the size to which buffers shrink back.
pub const WINDOW: usize = 256 << 10;
/// How much of the bytes before a place stays readable.
const LOOK_BACK: usize = 8 << 10;
/// Windows begin at multiples of this.
const PAGE: usize = 4 << 10;
/// The largest window: an armour or object that does not fit is told as a `limit` gap by its reader, whose
/// own limit is smaller.
const WINDOW_MAX: usize = 80 << 20;
/// How many objects that no format knows are looked into, one inside the other: each is copied for the formats.
const CHANCE_MAX: usize = 8;
/// How far lines are counted; behind that only the offset is told.
const LINES_MAX: u64 = 256 << 20;

/// The type of a member that names the field of a document.
const FIELD: &str = "field";
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
    buffers: Vec<Zeroizing<Vec<u8>>>,
}

/// The state of one source.
struct Window {
    /// Place of the source's first byte for those who are told.
    base: u64,
    /// Place of the buffer's first byte in the source.
    start: u64,
    /// Bytes of the buffer that are filled.
    filled: usize,
    /// Where in the buffer the search goes on.
    from: usize,
    /// How many of the hits at the source's start were examined.
    starts: usize,
    /// Whether the source ends with the filled bytes.
    at_end: bool,
    /// Places in the source of objects that no format knew, and in which the search still is.
    chance: Vec<(u64, u64)>,
    /// That they are nested too deep was told for the outermost of them.
    depth_told: bool,
}

impl Window {
    /// A window at the start of a source of which so many bytes were read.
    const fn with(filled: usize) -> Self {
        let mut window = Self::at(0, false);
        window.filled = filled;
        window
    }

    /// A window that is to begin at this place.
    const fn at(start: u64, at_end: bool) -> Self {
        Self {
            base: 0,
            start,
            filled: 0,
            from: 0,
            starts: 0,
            at_end,
            chance: Vec::new(),
            depth_told: false,
        }
    }

    /// Whether a place stands too deep in objects that no format knew.
    fn is_too_deep(&mut self, at: usize) -> bool {
        let place = self.start + at as u64;
        self.chance.retain(|(_, end)| *end > place);
        self.depth_told &= !self.chance.is_empty();
        self.chance.len() >= CHANCE_MAX
    }

    /// Keeps the place of an object that no format knew.
    fn look_inside(&mut self, start: usize, end: usize) {
        let object = (self.start + start as u64, self.start + end as u64);
        if !self.chance.contains(&object) {
            self.chance.push(object);
        }
    }
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
            buffers: Vec::new(),
        }
    }

    /// The same with other budgets.
    #[must_use]
    pub const fn with_budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
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
        *bytes_read += counted.read();
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
        self.with_buffer(|this, buffer| this.scan_parts(source, buffer, context, sink))
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

    fn with_buffer<T>(&mut self, scan: impl FnOnce(&mut Self, &mut Zeroizing<Vec<u8>>) -> T) -> T {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        let outcome = scan(self, &mut buffer);
        if buffer.len() > 4 * WINDOW {
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
        sink: &mut dyn Sink,
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
            let mut inside = Inside::new(self, context, base, sink);
            let outcome = archive.read(&mut input, &mut inside);
            let (rest, place) = input.into_rest();
            *buffer = rest;
            filled = buffer.len();
            match outcome {
                Ok(()) if place > 0 => base += place,
                Ok(()) | Err(Failure::NotMine) => {
                    let part = Slice::new(source, base + place, u64::MAX);
                    let window = Window::with(filled);
                    return self.scan_windows(&part, base + place, buffer, window, context, sink);
                }
                Err(_) if context.budget.is_spent() => {
                    if let Some(detail) = context.budget.is_to_tell() {
                        sink.fault(GapReason::Limit, base + place, detail);
                    }
                    return Ok(());
                }
                Err(Failure::Stop) => return Ok(()),
                Err(Failure::Io(error)) => return Err(error),
                Err(Failure::Fault(reason, detail)) => {
                    sink.fault(reason, base + place, detail);
                    let part = Slice::new(source, base + place, u64::MAX);
                    let window = Window::with(filled);
                    return self.scan_windows(&part, base + place, buffer, window, context, sink);
                }
            }
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

/// Moves on to the next data if a hole follows; false if nothing but a hole does.
fn skip_hole(source: &dyn Source, window: &mut Window) -> io::Result<bool> {
    let end = window.start + window.filled as u64;
    match source.next_data(end)? {
        Some(data) if data > end && data - end >= WINDOW as u64 => {
            *window = Window {
                base: window.base,
                ..Window::at(data, false)
            };
            Ok(true)
        }
        Some(_) => Ok(true),
        None => {
            // What is in the buffer ends here: readers that wait for more must decide now.
            window.at_end = true;
            Ok(window.filled > 0)
        }
    }
}

/// Reads until the window holds `limit` bytes or the source ends.
fn fill(
    buffer: &mut Zeroizing<Vec<u8>>,
    source: &dyn Source,
    window: &mut Window,
    limit: usize,
) -> io::Result<()> {
    let size = source.size();
    while !window.at_end {
        let place = window.start + window.filled as u64;
        let left = usize::try_from(size.saturating_sub(place)).unwrap_or(usize::MAX);
        if left == 0 {
            window.at_end = true;
            break;
        }
        let room = limit.saturating_sub(window.filled);
        if room == 0 {
            break;
        }
        let end = window.filled + room.min(left);
        if buffer.len() < end {
            // Only as much as the source can fill: most files are small.
            buffer.resize(end.max(16 << 10).min(WINDOW.max(end)), 0);
        }
        let target = buffer.get_mut(window.filled..end).unwrap_or_default();
        match source.read_at(target, place)? {
            0 => window.at_end = true,
            count => {
                window.filled += count;
                window.at_end = place + count as u64 >= size;
            }
        }
    }
    Ok(())
}

/// Moves what is still needed to the front of the buffer.
fn slide(
    buffer: &mut Zeroizing<Vec<u8>>,
    source: &dyn Source,
    window: &mut Window,
    lines: &mut Lines,
    needed: Option<usize>,
) {
    if window.at_end {
        return;
    }
    let front = needed
        .unwrap_or(window.from)
        .saturating_sub(LOOK_BACK)
        .min(window.filled);
    // Reads that begin with a page are copied faster.
    let front = front - front % PAGE;
    // Who asked for one line asks for more: what is in memory is counted before it would be read again.
    if !source.is_random() || lines.is_counting() {
        lines.pass(buffer, window.start, front);
    }
    buffer.copy_within(front..window.filled, 0);
    window.start += front as u64;
    window.filled -= front;
    window.from = window.from.saturating_sub(front);
}

/// What is known of the text of a content.
#[derive(Default)]
struct Text {
    lines: Lines,
    fields: Fields,
}

/// Counts lines, only as far as somebody asks.
#[derive(Default)]
struct Lines {
    counted_to: u64,
    newlines: u64,
}

impl Lines {
    /// Whether a line was asked for, and lines are still told here.
    const fn is_counting(&self) -> bool {
        self.counted_to > 0 && self.counted_to <= LINES_MAX
    }

    /// Counts as far as `end` in the window, as what stands before is not to be had again.
    fn pass(&mut self, bytes: &[u8], start: u64, end: usize) {
        let target = start + end as u64;
        let from = self.counted_to.saturating_sub(start);
        if self.counted_to < target && self.counted_to >= start {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            self.newlines += newlines(bytes.get(from..end).unwrap_or_default());
            self.counted_to = target;
        }
    }

    /// The 1-based line of a place in the window.
    fn at(&mut self, source: &dyn Source, bytes: &[u8], start: u64, offset: usize) -> Option<u64> {
        let target = start + offset as u64;
        if target > LINES_MAX {
            return None;
        }
        if target < self.counted_to {
            // What is told of a line may stand before what was told last; counting anew would read the file again.
            let back = |place: u64| usize::try_from(place.checked_sub(start)?).ok();
            let between = bytes.get(offset..back(self.counted_to)?)?;
            self.newlines -= newlines(between);
            self.counted_to = target;
            return Some(self.newlines + 1);
        }
        let mut chunk = Zeroizing::new(Vec::new());
        while self.counted_to < start {
            chunk.resize(64 << 10, 0);
            let left = usize::try_from(start - self.counted_to).unwrap_or(usize::MAX);
            let target = chunk.get_mut(..left.min(64 << 10))?;
            let count = source.read_at(target, self.counted_to).ok()?;
            if count == 0 {
                return None;
            }
            self.newlines += newlines(target.get(..count)?);
            self.counted_to += count as u64;
        }
        let from = usize::try_from(self.counted_to - start).ok()?;
        self.newlines += newlines(bytes.get(from..offset)?);
        self.counted_to = target;
        Some(self.newlines + 1)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{self, Format, Signature};
    use crate::model::{Found, Reading};

    struct Memory(Vec<u8>);

    impl Source for Memory {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let rest = self
                .0
                .get(usize::try_from(offset).unwrap()..)
                .unwrap_or_default();
            let count = rest.len().min(buffer.len()).min(100_000);
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }

        fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
            Ok(Some(offset))
        }
    }

    #[derive(Default)]
    struct Faults(Vec<(GapReason, u64)>);

    impl Sink for Faults {
        fn artifact(&mut self, _: Artifact, _: u64, _: Option<u64>) {}

        fn fault(&mut self, reason: GapReason, offset: u64, _: String) {
            self.0.push((reason, offset));
        }

        fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

        fn leave(&mut self) {}
    }

    fn faults(bytes: Vec<u8>) -> Vec<(GapReason, u64)> {
        faults_of(formats::ALL, bytes)
    }

    fn faults_of(formats: &'static [&'static dyn Format], bytes: Vec<u8>) -> Vec<(GapReason, u64)> {
        let detector = Detector::new(formats);
        let parser = Parser::new(formats);
        let stop = AtomicBool::new(false);
        let mut scanner = Scanner::new(&detector, &parser, &stop);
        let mut sink = Faults::default();
        let mut read = 0;
        let size = bytes.len() as u64;
        scanner
            .scan(&Memory(bytes), b"x", &mut sink, &mut read)
            .unwrap();
        assert_eq!(read, size);
        sink.0
    }

    #[test]
    fn an_armour_is_found_once_wherever_a_window_ends() {
        let armour = format!("-----BEGIN CERTIFICATE-----\n{}\n", "QUJD".repeat(40));
        for before in [
            0,
            1,
            WINDOW - 20,
            WINDOW - 5,
            WINDOW,
            2 * WINDOW - 90,
            5 * WINDOW + 3,
        ] {
            let mut bytes = vec![b'.'; before];
            bytes.extend_from_slice(armour.as_bytes());
            assert_eq!(
                faults(bytes.clone()),
                [(GapReason::Truncated, before as u64)],
                "{before}"
            );
            bytes.extend_from_slice(&vec![b'!'; WINDOW]);
            assert_eq!(faults(bytes).len(), 1, "{before}");
        }
    }

    #[test]
    fn a_boundary_that_a_window_cuts_is_read_whole() {
        let armour = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            "QUJD".repeat(40)
        );
        let whole = |before: usize| {
            let mut bytes = vec![b'.'; before];
            bytes.extend_from_slice(armour.as_bytes());
            bytes.extend_from_slice(&vec![b'\n'; WINDOW]);
            faults(bytes)
        };
        for cut in 1..=armour.len() {
            let before = WINDOW - cut;
            assert_eq!(
                whole(before),
                [(GapReason::Malformed, before as u64)],
                "{cut}"
            );
        }
    }

    #[test]
    fn lines_are_counted_back_without_reading_again() {
        let bytes = b"1\n2\n3\n4\n5";
        let source = Memory(Vec::new());
        let mut lines = Lines::default();
        let mut at = |offset| lines.at(&source, bytes, 0, offset);
        assert_eq!(
            [at(8), at(4), at(0), at(6)],
            [Some(5), Some(3), Some(1), Some(4)]
        );
    }

    #[test]
    fn objects_that_nobody_knows_are_looked_into_to_a_depth() {
        // INTEGER 0, SEQUENCE of nothing, OCTET STRING of the next.
        let nest = |depth: usize| {
            (0..depth).fold(vec![7; 300], |inner, _| {
                let content = u16::try_from(inner.len()).unwrap().to_be_bytes();
                let total = u16::try_from(inner.len() + 9).unwrap().to_be_bytes();
                let head = [
                    &[0x30, 0x82][..],
                    &total,
                    &[2, 1, 0, 0x30, 0, 4, 0x82],
                    &content,
                ];
                [&head.concat()[..], &inner].concat()
            })
        };
        assert_eq!(faults(nest(CHANCE_MAX)), []);
        let limits: Vec<_> = faults([nest(2 * CHANCE_MAX), nest(3 * CHANCE_MAX)].concat());
        assert_eq!(limits.len(), 2);
        assert!(limits.iter().all(|(reason, _)| *reason == GapReason::Limit));
    }

    #[test]
    fn a_large_source_does_not_make_a_large_buffer() {
        let detector = Detector::new(formats::ALL);
        let parser = Parser::new(formats::ALL);
        let stop = AtomicBool::new(false);
        let mut scanner = Scanner::new(&detector, &parser, &stop);
        let source = Memory(vec![b'.'; 20 * WINDOW]);
        let scanned = scanner.scan(&source, b"x", &mut Faults::default(), &mut 0);
        scanned.unwrap();
        assert_eq!(scanner.buffers[0].len(), WINDOW);
    }

    #[test]
    fn an_armour_larger_than_a_window_is_read_whole() {
        let mut bytes = vec![b'.'; 1000];
        bytes.extend_from_slice(b"-----BEGIN CERTIFICATE-----\n");
        bytes.extend_from_slice(
            &b"QUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVG\n".repeat(20_000),
        );
        bytes.extend_from_slice(b"!!");
        assert_eq!(faults(bytes), [(GapReason::Truncated, 1000)]);
    }

    /// A format that is known by its first bytes, four of which are a mark, and as long as the digit behind it says.
    struct Marked;

    impl Format for Marked {
        fn name(&self) -> &'static str {
            "marked"
        }

        fn signatures(&self) -> &'static [Signature] {
            const {
                &[
                    Signature::at_start(4, b"mark", Clue::OpensshMagic),
                    Signature::at_start(0, b"file", Clue::PemBody),
                    Signature::anywhere(b"filemark", Clue::SshLine),
                ]
            }
        }

        fn clues(&self) -> &'static [Clue] {
            &[Clue::OpensshMagic, Clue::PemBody, Clue::SshLine]
        }

        fn read(&self, candidate: &Candidate<'_>) -> Reading {
            let (reason, end) = match candidate.clue {
                Clue::PemBody => return Reading::NotMine,
                Clue::SshLine => (GapReason::Limit, candidate.at + 8),
                _ => match candidate.bytes.get(8) {
                    Some(b'n') => return Reading::NotMine,
                    Some(b'l') if candidate.bytes.len() < 3 * WINDOW && !candidate.at_end => {
                        return Reading::NeedMore { from: 0 };
                    }
                    Some(b'l') => (GapReason::Encrypted, candidate.bytes.len()),
                    _ => (GapReason::Malformed, 0),
                },
            };
            assert!(candidate.clue == Clue::SshLine || candidate.at_start);
            let faults = vec![Fault {
                reason,
                offset: candidate.at,
                detail: String::new(),
            }];
            Reading::Found(Found {
                faults,
                end,
                ..Found::default()
            })
        }
    }

    #[test]
    fn the_start_of_a_source_is_asked_once_and_then_searched() {
        const FORMATS: &[&dyn Format] = &[&Marked];
        let ask = |text: &[u8], size: usize| {
            let mut bytes = text.to_vec();
            bytes.resize(size.max(text.len()), b'.');
            faults_of(FORMATS, bytes)
        };
        use GapReason::{Encrypted, Limit, Malformed};
        // Nobody takes the start: what may stand anywhere is still found there.
        assert_eq!(ask(b"filemarkn", 0), [(Limit, 0)]);
        // The reader says where to go on: at the first byte, or behind all that it read, in a window that grew.
        assert_eq!(ask(b"filemark", 0), [(Malformed, 0), (Limit, 0)]);
        assert_eq!(ask(b"????mark filemark", 0), [(Malformed, 0), (Limit, 9)]);
        assert_eq!(ask(b"filemarkl filemark", 0), [(Encrypted, 0)]);
        assert_eq!(ask(b"filemarkl", 20 * WINDOW), [(Encrypted, 0)]);
        // Elsewhere, the first window included, it is no start.
        assert_eq!(ask(b".????mark", 3 * WINDOW), []);
        let later = [vec![b'.'; 2 * WINDOW], b"????mark".to_vec()].concat();
        assert_eq!(ask(&later, 3 * WINDOW), []);
    }
}
