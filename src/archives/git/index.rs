//! The index of a pack (gitformat-pack(5), "pack-*.idx files"), versions 1 and 2.

use super::super::{Failure, read_exact_at};
use super::{ObjectId, Shared};
use std::io;

const MAGIC: [u8; 4] = [0xff, b't', b'O', b'c'];
const FANOUT: u64 = 256 * 4;

/// The index of a pack: names, sorted, and where each object stands.
pub struct Index {
    source: Shared,
    fanout: Vec<u32>,
    is_first_version: bool,
    id_size: usize,
}

impl Index {
    /// Reads the head of an index.
    ///
    /// # Errors
    /// When it is none, has another version, or is shorter than it says.
    pub fn open(source: Shared) -> Result<Self, Failure> {
        let mut head = [0; 8];
        read_exact_at(&*source, &mut head, 0)?;
        let is_first_version = head.first_chunk() != Some(&MAGIC);
        let (start, size) = (if is_first_version { 0 } else { 8 }, source.size());
        if !is_first_version && head.last_chunk() != Some(&[0, 0, 0, 2]) {
            return Err(Failure::unsupported("git: an index of another version"));
        }
        let mut bytes = vec![0; 256 * 4];
        read_exact_at(&*source, &mut bytes, start)?;
        let fanout: Vec<u32> = bytes
            .as_chunks()
            .0
            .iter()
            .copied()
            .map(u32::from_be_bytes)
            .collect();
        let is_sorted = fanout.is_sorted();
        let count = u64::from(fanout.last().copied().unwrap_or(0));
        let least = |id: u64| match is_first_version {
            true => FANOUT + count * (4 + id) + 2 * id,
            false => 8 + FANOUT + count * (id + 8) + 2 * id,
        };
        // An index of short names has at most 8 bytes more for each object, one of long names 12 at least.
        let id_size = if !is_first_version && size >= least(32) {
            32
        } else {
            20
        };
        if !is_sorted || size < least(20) {
            return Err(Failure::malformed("git: an index shorter than it says"));
        }
        Ok(Self {
            source,
            fanout,
            is_first_version,
            id_size,
        })
    }

    /// How many objects it names.
    pub fn count(&self) -> u32 {
        self.fanout.last().copied().unwrap_or(0)
    }

    /// Bytes of a name.
    pub(super) const fn id_size(&self) -> usize {
        self.id_size
    }

    fn array<const N: usize>(&self, place: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        read_exact_at(&*self.source, &mut bytes, place)?;
        Ok(bytes)
    }

    /// The name of an object by its number in the index.
    ///
    /// # Errors
    /// What the source says.
    pub fn id(&self, number: u32) -> io::Result<ObjectId> {
        let (number, size) = (u64::from(number), self.id_size as u64);
        let place = match self.is_first_version {
            true => FANOUT + number * (4 + size) + 4,
            false => 8 + FANOUT + number * size,
        };
        let mut bytes = [0; 32];
        let bytes = bytes.get_mut(..self.id_size).unwrap_or_default();
        read_exact_at(&*self.source, bytes, place)?;
        ObjectId::new(bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Where an object stands in the pack.
    ///
    /// # Errors
    /// What the source says.
    pub fn offset(&self, number: u32) -> io::Result<u64> {
        let (count, number, size) = (
            u64::from(self.count()),
            u64::from(number),
            self.id_size as u64,
        );
        if self.is_first_version {
            let bytes = self.array(FANOUT + number * (4 + size))?;
            return Ok(u64::from(u32::from_be_bytes(bytes)));
        }
        let offsets = 8 + FANOUT + count * (size + 4);
        let offset = u32::from_be_bytes(self.array(offsets + number * 4)?);
        // The highest bit leads to a table of larger offsets.
        let Some(large) = offset.checked_sub(1 << 31) else {
            return Ok(u64::from(offset));
        };
        let larger = offsets + count * 4 + u64::from(large) * 8;
        Ok(u64::from_be_bytes(self.array(larger)?))
    }

    /// The offsets of all objects, by their number.
    ///
    /// # Errors
    /// What the source says.
    pub(super) fn offsets(&self) -> io::Result<Vec<u64>> {
        if self.is_first_version {
            return (0..self.count())
                .map(|number| self.offset(number))
                .collect();
        }
        let count = usize::try_from(self.count()).unwrap_or(usize::MAX);
        let mut all = Vec::with_capacity(count);
        let place = 8 + FANOUT + u64::from(self.count()) * (self.id_size as u64 + 4);
        let mut chunk = vec![0; 64 << 10];
        let mut number = 0;
        while number < count {
            let bytes = chunk
                .get_mut(..(count - number).min(16 << 10) * 4)
                .unwrap_or_default();
            read_exact_at(&*self.source, bytes, place + number as u64 * 4)?;
            for offset in bytes.as_chunks().0 {
                let offset = u32::from_be_bytes(*offset);
                all.push(match offset >> 31 {
                    0 => u64::from(offset),
                    _ => self.offset(u32::try_from(number).unwrap_or(u32::MAX))?,
                });
                number += 1;
            }
        }
        Ok(all)
    }

    /// The number of an object.
    ///
    /// # Errors
    /// What the source says.
    pub fn find(&self, id: &ObjectId) -> io::Result<Option<u32>> {
        let wanted = id.as_bytes();
        let Some(first) = wanted.first().filter(|_| wanted.len() == self.id_size) else {
            return Ok(None);
        };
        let first = usize::from(*first);
        let bound = |at: usize| self.fanout.get(at).copied().unwrap_or(0);
        let mut low = first.checked_sub(1).map_or(0, bound);
        let mut high = bound(first);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle)?.as_bytes().cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
            }
        }
        Ok(None)
    }
}
