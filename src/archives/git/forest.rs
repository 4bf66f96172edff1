//! All objects of a pack, from each whole one to the deltas that build on it.

use super::super::{Failure, Memory, Source};
use super::entry::{Body, Entry, HEAD_MAX};
use super::{Inflater, Kind, Meter, OBJECT_MAX, Pack, delta};
use crate::model::GapReason;
use zeroize::Zeroizing;

/// A pack of more objects is not read: their places alone would take 80 MB.
const OBJECTS_MAX: u32 = 4_000_000;
/// Whole objects from this size on are streamed.
const STREAMED: u64 = 1 << 20;
/// No object.
const NONE: u32 = u32::MAX;

/// Takes the objects of a pack.
pub trait Objects {
    /// An object by its number in the index.
    ///
    /// # Errors
    /// [`Failure::Stop`] when nothing more is wanted.
    fn object(&mut self, kind: Kind, number: u32, content: &dyn Source) -> Result<(), Failure>;

    /// Tells that what stands at this place of the pack could not be read.
    fn fault(&mut self, offset: u64, reason: GapReason, detail: String);
}

/// Which objects of a pack build on which.
pub struct Forest {
    /// Where each object stands, sorted.
    offsets: Vec<u64>,
    /// Its number in the index.
    numbers: Vec<u32>,
    /// The first delta on an object, and the next on the same one.
    first: Vec<u32>,
    next: Vec<u32>,
    /// Objects that stand there whole, but for trees.
    roots: Vec<u32>,
    /// What could not be understood: places and reasons.
    faults: Vec<(u64, GapReason, String)>,
}

fn at(list: &[u32], index: u32) -> u32 {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    list.get(index).copied().unwrap_or(NONE)
}

fn set(list: &mut [u32], index: u32, value: u32) {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    if let Some(slot) = list.get_mut(index) {
        *slot = value;
    }
}

impl Forest {
    /// Reads the heads of all objects.
    ///
    /// # Errors
    /// A limit, or what reading says. What is wrong with single objects is told by [`Self::faults`].
    pub fn of<S: Source>(pack: &Pack<S>, meter: &Meter<'_>) -> Result<Self, Failure> {
        let count = pack.index.count();
        if count > OBJECTS_MAX {
            let detail = format!("git: a pack of more than {OBJECTS_MAX} objects");
            return Err(Failure::limit(detail));
        }
        meter.take(u64::from(count) * 16)?;
        let by_number = pack.index.offsets()?;
        let mut numbers: Vec<u32> = (0..count).collect();
        let offset_of = |number: &u32| {
            let number = usize::try_from(*number).unwrap_or(usize::MAX);
            by_number.get(number).copied().unwrap_or(u64::MAX)
        };
        numbers.sort_unstable_by_key(offset_of);
        // Two names for one place are one object.
        numbers.dedup_by_key(|number| offset_of(number));
        let offsets: Vec<u64> = numbers.iter().map(offset_of).collect();
        drop(by_number);
        let mut forest = Self {
            first: vec![NONE; offsets.len()],
            next: vec![NONE; offsets.len()],
            roots: Vec::new(),
            faults: Vec::new(),
            offsets,
            numbers,
        };
        forest.read_heads(pack, meter)?;
        Ok(forest)
    }

    fn read_heads<S: Source>(&mut self, pack: &Pack<S>, meter: &Meter<'_>) -> Result<(), Failure> {
        let mut heads = Heads::new(&pack.source);
        let size = pack.index.id_size();
        let mut bases = vec![NONE; self.offsets.len()];
        for index in 0u32.. {
            let Some(&offset) = self
                .offsets
                .get(usize::try_from(index).unwrap_or(usize::MAX))
            else {
                break;
            };
            let head = match offset < pack.size() {
                true => heads.at(offset)?,
                false => &[],
            };
            let entry = match Entry::parse(head, offset, size) {
                Some(entry) => entry,
                None => {
                    let detail = "git: no object where one should begin";
                    self.fault(offset, GapReason::Malformed, detail.to_owned());
                    continue;
                }
            };
            if let Body::Whole(kind) = entry.body {
                if kind != Kind::Tree {
                    self.roots.push(index);
                }
                continue;
            }
            if matches!(entry.body, Body::OnObject(_)) {
                meter.take(1024)?;
            }
            let base = pack.base(&entry).and_then(|base| {
                let found = base.and_then(|base| self.offsets.binary_search(&base).ok());
                let found = found.and_then(|found| u32::try_from(found).ok());
                found.ok_or_else(|| Failure::malformed("git: a delta on no object"))
            });
            match base {
                Ok(base) => set(&mut bases, index, base),
                Err(Failure::Fault(reason, detail)) => self.fault(offset, reason, detail),
                Err(other) => return Err(other),
            }
        }
        // From the last to the first, so that deltas are visited in the order of their places.
        for index in (0..u32::try_from(bases.len()).unwrap_or(NONE)).rev() {
            let base = at(&bases, index);
            if base != NONE {
                set(&mut self.next, index, at(&self.first, base));
                set(&mut self.first, base, index);
            }
        }
        self.find_loops(&bases);
        Ok(())
    }

    /// Deltas that build on one another in a ring hang on nothing, and nobody meets them.
    fn find_loops(&mut self, bases: &[u32]) {
        // The number of the way on which an object was met: each is met once.
        let mut met = vec![0u32; bases.len()];
        let count = u32::try_from(bases.len()).unwrap_or(NONE);
        for start in 0..count {
            let way = start + 1;
            let mut index = start;
            while index != NONE && at(&met, index) == 0 {
                set(&mut met, index, way);
                index = at(bases, index);
            }
            if index != NONE && at(&met, index) == way {
                let offset = self.offset(index);
                let detail = "git: deltas that build on one another".to_owned();
                self.fault(offset, GapReason::Malformed, detail);
            }
        }
    }

    fn fault(&mut self, offset: u64, reason: GapReason, detail: String) {
        self.faults.push((offset, reason, detail));
    }

    fn offset(&self, index: u32) -> u64 {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.offsets.get(index).copied().unwrap_or(u64::MAX)
    }

    /// What could not be understood, with its places.
    pub fn faults(&mut self) -> Vec<(u64, GapReason, String)> {
        std::mem::take(&mut self.faults)
    }

    /// How many trees of deltas there are.
    pub const fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Hands over all objects of one tree of deltas. At most `held_max` bytes wait for deltas.
    ///
    /// # Errors
    /// [`Failure::Stop`] and errors of reading; what is wrong with single objects is told to `objects`.
    pub fn visit<S: Source>(
        &self,
        pack: &Pack<S>,
        tree: usize,
        tools: (&mut Inflater, &Meter<'_>),
        held_max: usize,
        objects: &mut dyn Objects,
    ) -> Result<(), Failure> {
        let Some(&root) = self.roots.get(tree) else {
            return Ok(());
        };
        let (inflater, meter) = tools;
        let walk = Walk {
            forest: self,
            pack,
            inflater,
            meter,
            held_max,
            held: 0,
            stack: Vec::new(),
        };
        walk.run(root, objects)
    }
}

/// An object whose deltas are being visited.
struct Frame {
    index: u32,
    /// Its bytes; none if they were given up.
    bytes: Option<Zeroizing<Vec<u8>>>,
    /// The delta that is next.
    child: u32,
}

/// The way through one tree of deltas.
struct Walk<'a, S> {
    forest: &'a Forest,
    pack: &'a Pack<S>,
    inflater: &'a mut Inflater,
    meter: &'a Meter<'a>,
    held_max: usize,
    held: usize,
    stack: Vec<Frame>,
}

impl<S: Source> Walk<'_, S> {
    fn run(mut self, root: u32, objects: &mut dyn Objects) -> Result<(), Failure> {
        let offset = self.forest.offset(root);
        let entry = self.pack.entry(offset)?;
        let Body::Whole(kind) = entry.body else {
            return Err(Failure::malformed("git: a pack that changed meanwhile"));
        };
        let number = at(&self.forest.numbers, root);
        let has_deltas = at(&self.forest.first, root) != NONE;
        if entry.size > OBJECT_MAX || (entry.size >= STREAMED && !has_deltas) {
            let outcome = self.pack.stream(&entry, self.meter, |content| {
                objects.object(kind, number, content)
            });
            self.settle(offset, outcome, objects)?;
            if has_deltas {
                let most = OBJECT_MAX >> 20;
                let detail = format!("git: deltas on an object of more than {most} MiB");
                let first = self.forest.offset(at(&self.forest.first, root));
                objects.fault(first, GapReason::Limit, detail);
            }
            return Ok(());
        }
        let whole = self.pack.body(&entry, self.inflater, self.meter);
        self.meet(root, kind, whole, objects)?;
        while let Some(frame) = self.stack.last_mut() {
            let child = frame.child;
            if child == NONE {
                self.leave();
                continue;
            }
            frame.child = at(&self.forest.next, child);
            let made = self.make(child);
            // The last delta was made: its base is not needed any more.
            if self.stack.last().is_some_and(|frame| frame.child == NONE) {
                self.leave();
            }
            self.meet(child, kind, made, objects)?;
        }
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(frame) = self.stack.pop() {
            self.held -= frame.bytes.map_or(0, |bytes| bytes.len());
        }
    }

    /// The object that a delta makes of the object on top of the stack.
    fn make(&mut self, child: u32) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let entry = self.pack.entry(self.forest.offset(child))?;
        let change = self.pack.body(&entry, self.inflater, self.meter)?;
        let Some(frame) = self.stack.last_mut() else {
            return Err(Failure::Stop);
        };
        if frame.bytes.is_none() {
            let offset = self.forest.offset(frame.index);
            let (_, again) = self.pack.object(offset, self.inflater, self.meter)?;
            self.held += again.len();
            frame.bytes = Some(again);
        }
        let base = frame.bytes.as_ref().map_or(&[][..], |bytes| bytes);
        delta::apply(base, &change, self.meter)
    }

    /// Hands over an object, and goes on to its deltas.
    fn meet(
        &mut self,
        index: u32,
        kind: Kind,
        made: Result<Zeroizing<Vec<u8>>, Failure>,
        objects: &mut dyn Objects,
    ) -> Result<(), Failure> {
        let offset = self.forest.offset(index);
        let bytes = match made {
            Ok(bytes) => bytes,
            Err(failure) => return self.settle(offset, Err(failure), objects),
        };
        let number = at(&self.forest.numbers, index);
        let outcome = objects.object(kind, number, &Memory(&bytes));
        self.settle(offset, outcome, objects)?;
        let child = at(&self.forest.first, index);
        if child == NONE {
            return Ok(());
        }
        self.held += bytes.len();
        self.stack.push(Frame {
            index,
            bytes: Some(bytes),
            child,
        });
        // What is given up is made anew when its turn comes; that of the top is used at once.
        let below = self.stack.len() - 1;
        for frame in self.stack.iter_mut().take(below) {
            if self.held <= self.held_max {
                break;
            }
            self.held -= frame.bytes.take().map_or(0, |bytes| bytes.len());
        }
        Ok(())
    }

    /// Tells what is wrong with one object, and goes on.
    fn settle(
        &self,
        offset: u64,
        outcome: Result<(), Failure>,
        objects: &mut dyn Objects,
    ) -> Result<(), Failure> {
        match outcome {
            Err(Failure::Fault(reason, detail)) => {
                objects.fault(offset, reason, detail);
                if self.meter.is_spent() {
                    return Err(Failure::Stop);
                }
                Ok(())
            }
            other => other,
        }
    }
}

/// Reads the heads of objects one behind the other, with few calls.
struct Heads<'a> {
    source: &'a dyn Source,
    buffer: Vec<u8>,
    start: u64,
}

impl<'a> Heads<'a> {
    const fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// The bytes at a place: as many as a head can have, or all there are.
    fn at(&mut self, place: u64) -> Result<&[u8], Failure> {
        let inside = |start: u64, length: usize| {
            let from = usize::try_from(place.checked_sub(start)?).ok()?;
            (from + HEAD_MAX <= length).then_some(from)
        };
        let from = match inside(self.start, self.buffer.len()) {
            Some(from) => from,
            None => {
                self.buffer.resize(64 << 10, 0);
                let mut filled = 0;
                while let Some(rest) = self.buffer.get_mut(filled..).filter(|r| !r.is_empty()) {
                    match self
                        .source
                        .read_at(rest, place.saturating_add(filled as u64))?
                    {
                        0 => break,
                        count => filled += count,
                    }
                }
                self.buffer.truncate(filled);
                self.start = place;
                0
            }
        };
        let bytes = self.buffer.get(from..).unwrap_or_default();
        Ok(bytes.get(..HEAD_MAX).unwrap_or(bytes))
    }
}
