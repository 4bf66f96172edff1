//! The head of an object in a pack (gitformat-pack(5), "pack-*.pack files").

use super::super::{Failure, Source};
use super::{Kind, ObjectId};

/// The longest head: 10 bytes of size, and a name or 10 bytes of distance.
pub(super) const HEAD_MAX: usize = 10 + 32;

/// What an object in a pack is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// It stands there whole.
    Whole(Kind),
    /// A delta on the object at this offset.
    OnOffset(u64),
    /// A delta on the object of this name.
    OnObject(ObjectId),
}

/// The head of an object in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) body: Body,
    /// Size of what is compressed, as declared: the object, or the delta.
    pub(super) size: u64,
    /// Where the compressed bytes begin.
    pub(super) data: u64,
}

impl Entry {
    /// Reads the head at an offset.
    pub(super) fn read(source: &dyn Source, offset: u64, id_size: usize) -> Result<Self, Failure> {
        let mut head = [0; HEAD_MAX];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match source.read_at(rest, offset.saturating_add(filled as u64))? {
                0 => break,
                count => filled += count,
            }
        }
        Self::parse(head.get(..filled).unwrap_or_default(), offset, id_size)
            .ok_or_else(|| Failure::malformed("git: no object where one should begin"))
    }

    /// Understands the head of the object at `offset`, which begins with these bytes.
    pub(super) fn parse(head: &[u8], offset: u64, id_size: usize) -> Option<Self> {
        let mut bytes = head.iter();
        let first = *bytes.next()?;
        let (kind, mut size, mut shift) = (first >> 4 & 7, u64::from(first & 15), 4);
        let mut byte = first;
        while byte & 0x80 != 0 {
            byte = *bytes.next()?;
            let more = u64::from(byte & 0x7f);
            size |= more
                .checked_shl(shift)
                .filter(|part| part >> shift == more)?;
            shift += 7;
        }
        let body = match kind {
            1 => Body::Whole(Kind::Commit),
            2 => Body::Whole(Kind::Tree),
            3 => Body::Whole(Kind::Blob),
            4 => Body::Whole(Kind::Tag),
            6 => {
                byte = *bytes.next()?;
                let mut distance = u64::from(byte & 0x7f);
                while byte & 0x80 != 0 {
                    byte = *bytes.next()?;
                    let before = distance.checked_add(1)?.checked_mul(128)?;
                    distance = before | u64::from(byte & 0x7f);
                }
                Body::OnOffset(offset.checked_sub(distance).filter(|_| distance > 0)?)
            }
            7 => {
                let id = bytes.as_slice().get(..id_size)?;
                bytes = bytes.as_slice().get(id_size..)?.iter();
                Body::OnObject(ObjectId::new(id)?)
            }
            _ => return None,
        };
        let length = head.len() - bytes.as_slice().len();
        Some(Self {
            body,
            size,
            data: offset.checked_add(length as u64)?,
        })
    }
}
