//! Any object of a repository by its name.

use super::super::{Failure, Memory, Source};
use super::entry::Body;
use super::{Inflater, Kind, Meter, OBJECT_MAX, ObjectId, Pack, Shared, delta, loose};
use std::collections::HashMap;
use std::rc::Rc;
use zeroize::Zeroizing;

/// As many bytes of objects are kept that others may be built on; twice, as the older half is given up at once.
const KEPT_MAX: usize = 12 << 20;

/// Opens objects that have a file of their own.
pub trait Loose: Sync {
    /// The file of an object, if it has one.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, id: &ObjectId) -> Result<Option<Shared>, Failure>;
}

/// Bytes of an object, wiped when nobody needs them.
pub(super) type Bytes = Rc<Zeroizing<Vec<u8>>>;
/// A pack by its number, and a place in it.
type Place = (usize, u64);

/// Any object of a repository by its name: one for each thread.
pub struct Store<'a> {
    packs: &'a [Pack],
    loose: &'a dyn Loose,
    meter: &'a Meter<'a>,
    inflater: Inflater,
    young: HashMap<Place, (Kind, Bytes)>,
    young_bytes: usize,
    old: HashMap<Place, (Kind, Bytes)>,
}

impl<'a> Store<'a> {
    /// A store over these packs and files.
    pub fn new(packs: &'a [Pack], loose: &'a dyn Loose, meter: &'a Meter<'a>) -> Self {
        Self {
            packs,
            loose,
            meter,
            inflater: Inflater::default(),
            young: HashMap::new(),
            young_bytes: 0,
            old: HashMap::new(),
        }
    }

    fn find(&self, id: &ObjectId) -> Result<Option<Place>, Failure> {
        for (pack, number) in self.packs.iter().zip(0..) {
            if let Some(found) = pack.index.find(id)? {
                return Ok(Some((number, pack.index.offset(found)?)));
            }
        }
        Ok(None)
    }

    /// A number that no other object of the packs has: to remember which were visited.
    pub(super) fn number(&self, id: &ObjectId) -> Result<Option<usize>, Failure> {
        let mut before = 0;
        for pack in self.packs {
            let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            if let Some(found) = pack.index.find(id)? {
                return Ok(Some(before + number(found)));
            }
            before += number(pack.index.count());
        }
        Ok(None)
    }

    /// The number of the pack that holds an object.
    pub fn pack_of(&self, id: &ObjectId) -> Option<usize> {
        self.find(id).ok()?.map(|(number, _)| number)
    }

    /// An object, if it is there and not too large.
    pub(super) fn read(&mut self, id: &ObjectId) -> Result<Option<(Kind, Bytes)>, Failure> {
        if let Some(place) = self.find(id)? {
            return self.packed(place).map(Some);
        }
        let Some(file) = self.loose.open(id)? else {
            return Ok(None);
        };
        let read = loose(&*file, self.meter, |kind, size, content| {
            let size = usize::try_from(size.min(OBJECT_MAX)).unwrap_or(0);
            let mut bytes = Zeroizing::new(vec![0; size]);
            super::super::read_exact_at(content, &mut bytes, 0)?;
            Ok((kind, Rc::new(bytes)))
        });
        match read {
            Err(Failure::NotMine) => Err(Failure::malformed("git: a file that is no object")),
            other => other.map(Some),
        }
    }

    fn packed(&mut self, (number, offset): Place) -> Result<(Kind, Bytes), Failure> {
        let packs = self.packs;
        let Some(pack) = packs.get(number) else {
            return Err(Failure::Stop);
        };
        // Down to what is known or whole, and up again.
        let mut deltas = Vec::new();
        let mut at = offset;
        let (kind, mut bytes) = loop {
            if let Some(known) = self.known((number, at)) {
                break known;
            }
            self.meter.take(0)?;
            if deltas.len() >= super::pack::CHAIN_MAX {
                return Err(Failure::malformed("git: deltas without an end"));
            }
            let entry = pack.entry(at)?;
            if let Body::Whole(kind) = entry.body {
                let bytes = Rc::new(pack.body(&entry, &mut self.inflater, self.meter)?);
                self.keep((number, at), kind, &bytes);
                break (kind, bytes);
            }
            let base = pack.base(&entry)?;
            deltas.push((at, entry));
            at = base.ok_or_else(|| Failure::malformed("git: a delta on no object"))?;
        };
        for (at, entry) in deltas.iter().rev() {
            let change = pack.body(entry, &mut self.inflater, self.meter)?;
            bytes = Rc::new(delta::apply(&bytes, &change, self.meter)?);
            self.keep((number, *at), kind, &bytes);
        }
        Ok((kind, bytes))
    }

    fn known(&mut self, place: Place) -> Option<(Kind, Bytes)> {
        if let Some((kind, bytes)) = self.young.get(&place) {
            return Some((*kind, Rc::clone(bytes)));
        }
        let (kind, bytes) = self.old.get(&place)?;
        let (kind, bytes) = (*kind, Rc::clone(bytes));
        self.keep(place, kind, &bytes);
        Some((kind, bytes))
    }

    fn keep(&mut self, place: Place, kind: Kind, bytes: &Bytes) {
        if bytes.len() > KEPT_MAX / 4 {
            return;
        }
        if self.young_bytes > KEPT_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        // A little for the place itself.
        self.young_bytes += bytes.len() + 100;
        self.young.insert(place, (kind, Rc::clone(bytes)));
    }

    /// Gives the content of an object, of any size if it stands there whole.
    ///
    /// # Errors
    /// What is wrong with it, or what `take` says.
    pub fn content<T>(
        &mut self,
        id: &ObjectId,
        take: impl FnOnce(Kind, &dyn Source) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        if let Some((number, offset)) = self.find(id)? {
            let packs = self.packs;
            if let Some(pack) = packs.get(number) {
                let entry = pack.entry(offset)?;
                if let Body::Whole(kind) = entry.body
                    && entry.size > KEPT_MAX as u64 / 4
                {
                    let stream = |content: &dyn Source| take(kind, content);
                    return pack.stream(&entry, self.meter, stream).map(Some);
                }
            }
            let (kind, bytes) = self.packed((number, offset))?;
            return take(kind, &Memory(&bytes)).map(Some);
        }
        let Some(file) = self.loose.open(id)? else {
            return Ok(None);
        };
        loose(&*file, self.meter, |kind, _, content| take(kind, content)).map(Some)
    }

    /// The author of a commit, or who made a tag.
    pub fn author(&mut self, id: &ObjectId) -> Option<super::Person> {
        let (_, bytes) = self.read(id).ok()??;
        super::author(&bytes)
    }

    /// The object that a reference means when tags are followed.
    pub(super) fn peel(&mut self, id: ObjectId) -> ObjectId {
        let mut id = id;
        for _ in 0..16 {
            match self.read(&id) {
                Ok(Some((Kind::Tag, bytes))) => match super::tagged(&bytes) {
                    Some(next) => id = next,
                    None => break,
                },
                _ => break,
            }
        }
        id
    }
}
