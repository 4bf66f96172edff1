//! The bytes of a content that are in memory, and how they move on.

use super::lines::Lines;
use crate::archives::Source;
use std::io;
use zeroize::Zeroizing;

/// How much is read at once, and the size to which buffers shrink back.
pub const WINDOW: usize = 256 << 10;
/// How much of the bytes before a place stays readable.
const LOOK_BACK: usize = 8 << 10;
/// Windows begin at multiples of this.
const PAGE: usize = 4 << 10;
/// The largest window: an armour or object that does not fit is told as a `limit` gap by its reader, whose
/// own limit is smaller.
pub(super) const WINDOW_MAX: usize = 80 << 20;
/// How many objects that no format knows are looked into, one inside the other: each is copied for the formats.
pub(super) const CHANCE_MAX: usize = 8;

/// The state of one source.
pub(super) struct Window {
    /// Place of the source's first byte for those who are told.
    pub(super) base: u64,
    /// Place of the buffer's first byte in the source.
    pub(super) start: u64,
    /// Bytes of the buffer that are filled.
    pub(super) filled: usize,
    /// Where in the buffer the search goes on.
    pub(super) from: usize,
    /// How many of the hits at the source's start were examined.
    pub(super) starts: usize,
    /// Whether the source ends with the filled bytes.
    pub(super) at_end: bool,
    /// Places in the source of objects that no format knew, and in which the search still is.
    chance: Vec<(u64, u64)>,
    /// That they are nested too deep was told for the outermost of them.
    pub(super) depth_told: bool,
}

impl Window {
    /// A window at the start of a source of which so many bytes were read.
    pub(super) const fn with(filled: usize) -> Self {
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
    pub(super) fn is_too_deep(&mut self, at: usize) -> bool {
        let place = self.start + at as u64;
        self.chance.retain(|(_, end)| *end > place);
        self.depth_told &= !self.chance.is_empty();
        self.chance.len() >= CHANCE_MAX
    }

    /// Keeps the place of an object that no format knew.
    pub(super) fn look_inside(&mut self, start: usize, end: usize) {
        let object = (self.start + start as u64, self.start + end as u64);
        if !self.chance.contains(&object) {
            self.chance.push(object);
        }
    }
}

/// Moves on to the next data if a hole follows; false if nothing but a hole does.
pub(super) fn skip_hole(source: &dyn Source, window: &mut Window) -> io::Result<bool> {
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
pub(super) fn fill(
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
pub(super) fn slide(
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
