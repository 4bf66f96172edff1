//! Files with holes in a tar (GNU tar's manual, "Storing Sparse Files": the old form, pax 0.0, 0.1 and 1.0).

use super::BLOCK;
use super::header::{self, Header, number};
use super::pax::{self, Fields};
use crate::archives::{Failure, Input, Source};
use std::io::{self, BufRead as _, Read as _};

/// A file of more pieces is not read.
const PIECES_MAX: usize = 1 << 18;

/// Where the stored bytes of a file belong.
pub(super) struct Map {
    pieces: Vec<Piece>,
    /// The file's size with its holes.
    size: u64,
}

struct Piece {
    /// Place in the file.
    start: u64,
    end: u64,
    /// Place in what is stored.
    stored: u64,
}

impl Map {
    /// The map of the file behind a header, if it has holes. `stored` bytes are behind the header; what of them is map is read.
    pub(super) fn of(
        header: &Header,
        extended: &Fields,
        input: &mut Input<'_>,
        stored: u64,
    ) -> Result<Option<Self>, Failure> {
        let (numbers, real, stored) = if header.kind == header::SPARSE {
            let (numbers, real) = old_form(header, input)?;
            (numbers, Some(real), stored)
        } else if extended.pieces_in_data {
            let before = input.position();
            let numbers = in_data(input, stored)?;
            let map = input.position() - before;
            (numbers, extended.real_size, stored.saturating_sub(map))
        } else if extended.pieces.is_empty() {
            return Ok(None);
        } else {
            (extended.pieces.clone(), extended.real_size, stored)
        };
        Self::new(&numbers, real, stored)
            .map(Some)
            .ok_or_else(|| Failure::malformed("tar: the map of a sparse file contradicts itself"))
    }

    fn new(numbers: &[u64], real: Option<u64>, stored: u64) -> Option<Self> {
        let mut pieces: Vec<Piece> = Vec::with_capacity(numbers.len() / 2);
        let (mut at, mut end_before) = (0u64, 0);
        for [start, size] in numbers.as_chunks().0 {
            let end = start.checked_add(*size)?;
            if *start < end_before {
                return None;
            }
            end_before = end;
            if *size > 0 {
                let (start, stored) = (*start, at);
                pieces.push(Piece { start, end, stored });
            }
            at = at.checked_add(*size)?;
        }
        let size = real.unwrap_or(end_before);
        (numbers.len().is_multiple_of(2) && at <= stored && end_before <= size)
            .then_some(Self { pieces, size })
    }
}

/// The old form: four pieces in the header, 21 in each block behind it.
fn old_form(header: &Header, input: &mut Input<'_>) -> Result<(Vec<u64>, u64), Failure> {
    let wrong = || Failure::malformed("tar: the map of a sparse file is none");
    let (first, mut more, real) = header.old_sparse().ok_or_else(wrong)?;
    let mut numbers = Vec::new();
    let add = |numbers: &mut Vec<u64>, fields: &[u8]| {
        for field in fields.chunks_exact(12) {
            // What is not used is empty.
            if field.first() == Some(&0) {
                break;
            }
            numbers.push(number(field).ok_or_else(wrong)?);
        }
        Ok::<(), Failure>(())
    };
    add(&mut numbers, first)?;
    while more {
        let block: [u8; header::SIZE] = input.take_array()?;
        add(&mut numbers, block.get(..504).unwrap_or_default())?;
        more = block.get(504).is_some_and(|flag| *flag != 0);
        check(&numbers)?;
    }
    Ok((numbers, real))
}

/// Version 1.0: decimal numbers, each on a line, in whole blocks before the data: how many pieces, and the pieces.
fn in_data(input: &mut Input<'_>, stored: u64) -> Result<Vec<u64>, Failure> {
    let start = input.position();
    let mut line = || {
        let mut line = Vec::new();
        input.by_ref().take(24).read_until(b'\n', &mut line)?;
        pax::decimal(line.strip_suffix(b"\n").unwrap_or_default())
    };
    let count = line()?;
    let mut numbers = Vec::new();
    for _ in 0..count.saturating_mul(2) {
        numbers.push(line()?);
        check(&numbers)?;
    }
    let read = input.position() - start;
    let map = read.next_multiple_of(BLOCK);
    if map > stored {
        return Err(Failure::malformed(
            "tar: the map of a sparse file is larger than the file",
        ));
    }
    input.skip_to(start + map)?;
    Ok(numbers)
}

fn check(numbers: &[u64]) -> Result<(), Failure> {
    if numbers.len() > 2 * PIECES_MAX {
        return Err(Failure::limit(format!(
            "tar: a sparse file of more than {PIECES_MAX} pieces"
        )));
    }
    Ok(())
}

/// A file with holes, of which the pieces are stored one behind the other.
pub(super) struct Spread<'a> {
    stored: &'a dyn Source,
    map: Map,
}

impl<'a> Spread<'a> {
    pub(super) fn new(stored: &'a dyn Source, map: Map) -> Self {
        Self { stored, map }
    }

    /// The piece that holds a place, or the next one behind it.
    fn piece(&self, place: u64) -> Option<&Piece> {
        let before = self.map.pieces.partition_point(|piece| piece.end <= place);
        self.map.pieces.get(before)
    }
}

impl Source for Spread<'_> {
    fn size(&self) -> u64 {
        self.map.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let length = |from: u64, to: u64| {
            let length = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
            length.min(buffer.len())
        };
        let piece = self.piece(offset);
        if let Some(piece) = piece.filter(|piece| piece.start <= offset) {
            let most = length(offset, piece.end);
            let target = buffer.get_mut(..most).unwrap_or_default();
            let place = piece.stored + (offset - piece.start);
            return self.stored.read_at(target, place);
        }
        let hole_end = piece.map_or(self.map.size, |piece| piece.start);
        let most = length(offset, hole_end);
        buffer.get_mut(..most).unwrap_or_default().fill(0);
        Ok(most)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok(self.piece(offset).map(|piece| piece.start.max(offset)))
    }

    fn is_random(&self) -> bool {
        self.stored.is_random()
    }
}
