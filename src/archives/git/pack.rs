//! A pack and its index: any object by its place.

use super::super::{Failure, Once, Slice, Source, read_exact_at};
use super::entry::{Body, Entry};
use super::inflate::{Exactly, Onward};
use super::{Index, Inflater, Kind, Meter, OBJECT_MAX, Shared, delta};
use flate2::bufread::ZlibDecoder;
use std::io::BufReader;
use zeroize::Zeroizing;

/// Deeper chains of deltas are not followed: git makes at most 4,095 (`pack.depth`).
pub(super) const CHAIN_MAX: usize = 4096;

/// A pack and its index. Its source is one that several threads read, but for a pack in an archive.
pub struct Pack<S = Shared> {
    pub(super) source: S,
    pub(super) index: Index,
}

impl<S: Source> Pack<S> {
    /// Looks at the head of a pack.
    ///
    /// # Errors
    /// When it is none or has another version.
    pub fn open(source: S, index: Index) -> Result<Self, Failure> {
        let mut head = [0; 12];
        read_exact_at(&source, &mut head, 0)?;
        match head {
            [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] => Ok(Self { source, index }),
            [b'P', b'A', b'C', b'K', ..] => {
                Err(Failure::unsupported("git: a pack of another version"))
            }
            _ => Err(Failure::malformed("git: a pack that does not begin as one")),
        }
    }

    /// Its index.
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// Bytes of the pack.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    pub(super) fn entry(&self, offset: u64) -> Result<Entry, Failure> {
        Entry::read(&self.source, offset, self.index.id_size())
    }

    /// The place of the object on which a delta builds; none for a whole one.
    pub(super) fn base(&self, entry: &Entry) -> Result<Option<u64>, Failure> {
        match entry.body {
            Body::Whole(_) => Ok(None),
            Body::OnOffset(offset) => Ok(Some(offset)),
            Body::OnObject(id) => match self.index.find(&id)? {
                Some(number) => Ok(Some(self.index.offset(number)?)),
                None => Err(Failure::malformed(
                    "git: a delta on an object that is not in its pack",
                )),
            },
        }
    }

    /// What is compressed of an object that is not too large.
    pub(super) fn body(
        &self,
        entry: &Entry,
        inflater: &mut Inflater,
        meter: &Meter<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if entry.size > OBJECT_MAX {
            let most = OBJECT_MAX >> 20;
            let detail = format!("git: an object of more than {most} MiB that others build on");
            return Err(Failure::limit(detail));
        }
        inflater.inflate(&self.source, entry.data, entry.size, meter)
    }

    /// A whole object as a stream, of any size.
    pub(super) fn stream<T>(
        &self,
        entry: &Entry,
        meter: &Meter<'_>,
        take: impl FnOnce(&dyn Source) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let file = Onward {
            source: &self.source,
            place: entry.data,
        };
        let mut stream = Exactly {
            stream: ZlibDecoder::new(BufReader::with_capacity(32 << 10, file)),
            left: entry.size,
            meter,
        };
        let content = Once::new(&mut stream);
        let taken = take(&Slice::new(&content, 0, entry.size))?;
        content.finish()?;
        Ok(taken)
    }

    /// The entries from an object to the whole one that it is built on, that one last.
    pub(super) fn chain(
        &self,
        offset: u64,
        meter: &Meter<'_>,
    ) -> Result<Vec<(u64, Entry)>, Failure> {
        let mut chain = Vec::new();
        let mut next = Some(offset);
        while let Some(offset) = next {
            meter.take(0)?;
            if chain.len() >= CHAIN_MAX {
                return Err(Failure::malformed("git: deltas without an end"));
            }
            let entry = self.entry(offset)?;
            next = self.base(&entry)?;
            chain.push((offset, entry));
        }
        Ok(chain)
    }

    /// An object as it is, its kind first. `known` may give what it knows of a place, and is given what is made.
    pub(super) fn object(
        &self,
        offset: u64,
        inflater: &mut Inflater,
        meter: &Meter<'_>,
    ) -> Result<(Kind, Zeroizing<Vec<u8>>), Failure> {
        let chain = self.chain(offset, meter)?;
        let mut entries = chain.iter().rev();
        let whole = entries.next().map(|(_, entry)| entry);
        let Some((whole, Body::Whole(kind))) = whole.map(|entry| (entry, entry.body)) else {
            return Err(Failure::malformed("git: deltas without an end"));
        };
        let mut object = self.body(whole, inflater, meter)?;
        for (_, entry) in entries {
            let change = self.body(entry, inflater, meter)?;
            object = delta::apply(&object, &change, meter)?;
        }
        Ok((kind, object))
    }
}
