//! Elements with the indefinite lengths that BER allows and streaming writers use (X.690, section 8.1.3.6).
//!
//! Finding the end of one counts its nesting instead of recursing, so hostile depth costs nothing.

use super::der::{self, DerError, Element};
use zeroize::Zeroizing;

const END_OF_CONTENTS: [u8; 2] = [0, 0];
/// See [`read_sparse`].
const FEW: usize = 512;
/// See [`read_sparse`].
const SPARSE: usize = 128;

/// Reads the element at the start of `bytes`, of definite or indefinite length, and gives what follows it.
/// The contents are without the end-of-contents octets.
pub fn read(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), DerError> {
    read_to(bytes, |_, _| false)
}

/// The same for bytes that nothing declares, which may stand in one another: a hostile file can have such a start
/// every few bytes. More elements than `FEW` must fill `SPARSE` bytes each on the average, as those of streaming writers do.
pub fn read_sparse(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), DerError> {
    read_to(bytes, |count, read| count > FEW + read / SPARSE)
}

fn read_to(
    bytes: &[u8],
    is_enough: impl Fn(usize, usize) -> bool,
) -> Result<(Element<'_>, &[u8]), DerError> {
    let Some(after) = indefinite(bytes) else {
        return Element::read(bytes);
    };
    let tag = *bytes.first().ok_or(DerError::Header)?;
    let mut rest = after;
    let mut open = 1u32;
    let mut count = 0;
    loop {
        count += 1;
        if is_enough(count, bytes.len() - rest.len()) {
            return Err(DerError::Header);
        }
        if let Some(next) = rest.strip_prefix(&END_OF_CONTENTS) {
            open -= 1;
            if open == 0 {
                let raw = bytes.len() - next.len();
                let content = after.len() - rest.len();
                let element = Element {
                    tag,
                    raw: bytes.get(..raw).unwrap_or_default(),
                    content: after.get(..content).unwrap_or_default(),
                };
                return Ok((element, next));
            }
            rest = next;
        } else if let Some(inner) = indefinite(rest) {
            open = open.checked_add(1).ok_or(DerError::Header)?;
            rest = inner;
        } else {
            let (_, header, length) = der::header(rest)?;
            let total = header.checked_add(length).ok_or(DerError::Header)?;
            rest = rest
                .get(total..)
                .ok_or(DerError::Truncated { needed: None })?;
        }
    }
}

/// What follows the header of a constructed element of indefinite length.
fn indefinite(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [tag, 0x80, rest @ ..] if tag & 0x20 != 0 && tag & 0x1f != 0x1f => Some(rest),
        _ => None,
    }
}

/// How deep elements may nest to be rewritten.
const DEPTH_MAX: usize = 64;

/// The element at the start of `bytes` rewritten with definite, minimal lengths and with each OCTET STRING in one piece
/// (X.690, section 8.7), and how many bytes it took. Order and values are left as they are.
///
/// Elements that nest deeper than any writer's are refused.
pub fn to_der(bytes: &[u8]) -> Result<(Zeroizing<Vec<u8>>, usize), DerError> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(16)));
    let rest = rewrite(bytes, DEPTH_MAX, &mut out)?;
    Ok((out, bytes.len() - rest.len()))
}

/// Appends the DER of the first element of `bytes` to `out`, and gives what follows it.
fn rewrite<'a>(bytes: &'a [u8], depth: usize, out: &mut Vec<u8>) -> Result<&'a [u8], DerError> {
    let depth = depth.checked_sub(1).ok_or(DerError::Contents)?;
    let (tag, length, body) = header(bytes)?;
    let Some(length) = length else {
        let mut content = Zeroizing::new(Vec::new());
        let mut rest = body;
        loop {
            if let Some(after) = rest.strip_prefix(&END_OF_CONTENTS) {
                put(tag, &content, out);
                return Ok(after);
            }
            rest = member(tag, rest, depth, &mut content)?;
        }
    };
    let truncated = DerError::Truncated { needed: None };
    let (inside, after) = body.split_at_checked(length).ok_or(truncated)?;
    if tag & CONSTRUCTED == 0 {
        put(tag, inside, out);
        return Ok(after);
    }
    let mut content = Zeroizing::new(Vec::with_capacity(inside.len()));
    let mut rest = inside;
    while !rest.is_empty() {
        rest = member(tag, rest, depth, &mut content)?;
    }
    put(tag, &content, out);
    Ok(after)
}

/// Appends one member of a constructed element: of an OCTET STRING in pieces, the piece's contents.
fn member<'a>(
    outer: u8,
    bytes: &'a [u8],
    depth: usize,
    content: &mut Vec<u8>,
) -> Result<&'a [u8], DerError> {
    if outer != der::OCTET_STRING | CONSTRUCTED {
        return rewrite(bytes, depth, content);
    }
    let mut piece = Zeroizing::new(Vec::new());
    let rest = rewrite(bytes, depth, &mut piece)?;
    let piece = Element::read_all(&piece)?;
    if piece.tag != der::OCTET_STRING {
        return Err(DerError::Tag);
    }
    content.extend_from_slice(piece.content);
    Ok(rest)
}

fn put(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    let whole = tag != der::OCTET_STRING | CONSTRUCTED;
    let tag = if whole { tag } else { der::OCTET_STRING };
    let element = Zeroizing::new(der::encode(tag, &[content]));
    out.extend_from_slice(&element);
}

/// Identifier octet, length (none if indefinite) and what follows the header. Lengths need not be minimal.
fn header(bytes: &[u8]) -> Result<(u8, Option<usize>, &[u8]), DerError> {
    let truncated = DerError::Truncated { needed: None };
    let (tag, rest) = bytes.split_first().ok_or(truncated)?;
    if tag & 0x1f == 0x1f {
        return Err(DerError::Header);
    }
    let (first, rest) = rest.split_first().ok_or(truncated)?;
    if *first < 0x80 {
        return Ok((*tag, Some(usize::from(*first)), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 {
        return if tag & CONSTRUCTED == 0 {
            Err(DerError::Header)
        } else {
            Ok((*tag, None, rest))
        };
    }
    let (octets, rest) = rest.split_at_checked(count).ok_or(truncated)?;
    let octets = der::trim_zeros(octets);
    if octets.len() > 4 {
        return Err(DerError::Header);
    }
    let length = octets.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
    Ok((*tag, Some(length), rest))
}

/// The bit of an identifier octet that tells elements inside (X.690, section 8.1.2.5).
const CONSTRUCTED: u8 = 0x20;

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next identifier octet, without reading on.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element.
    pub fn element(&mut self) -> Result<Element<'a>, DerError> {
        let (element, rest) = read(self.rest)?;
        self.rest = rest;
        Ok(element)
    }

    /// The next element, which must have the given tag.
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.element(),
            Some(_) => Err(DerError::Tag),
            None => Err(DerError::Truncated { needed: None }),
        }
    }

    /// A reader over the contents of the next element, which must have the given tag.
    pub fn enter(&mut self, tag: u8) -> Result<Self, DerError> {
        Ok(Self::new(self.expect(tag)?.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_nested_indefinite_lengths() {
        let bytes = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x02, 0, 0, 0, 0, 0x02, 0x01, 5, 0, 0, 9,
        ];
        let (element, rest) = read(&bytes).unwrap();
        assert_eq!(rest, [9]);
        assert_eq!(element.raw.len(), 15);
        let mut inside = Reader::new(element.content);
        assert_eq!(inside.expect(0x24).unwrap().content, [4, 2, 0, 0]);
        assert_eq!(inside.expect(der::INTEGER).unwrap().content, [5]);
        assert!(inside.is_empty());
    }

    #[test]
    fn what_nothing_declares_has_few_elements_or_large_ones() {
        let streamed = |count: usize, size: u8| {
            let piece = [&[4, size][..], &vec![7; usize::from(size)]].concat();
            [&[0x24, 0x80][..], &piece.repeat(count), &[0, 0]].concat()
        };
        assert!(read_sparse(&streamed(500, 1)).is_ok());
        assert!(read_sparse(&streamed(600, 1)).is_err());
        assert!(read_sparse(&streamed(5000, 127)).is_ok());
        assert!(read(&streamed(5000, 1)).is_ok());
    }

    #[test]
    fn hostile_nesting_ends() {
        let bytes = [0x30, 0x80].repeat(100_000);
        assert!(read(&bytes).is_err());
        assert!(to_der(&bytes).is_err());
        // Complete, and ten thousand deep: with indefinite lengths, and with definite ones.
        let closed = [[0x30, 0x80].repeat(10_000), vec![0; 20_000]].concat();
        assert!(read(&closed).is_ok());
        assert_eq!(to_der(&closed), Err(DerError::Contents));
        let mut nested = Vec::new();
        for _ in 0..10_000 {
            nested = der::encode(der::SEQUENCE, &[&nested]);
        }
        assert_eq!(to_der(&nested), Err(DerError::Contents));
    }

    #[test]
    fn ber_becomes_der() {
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x02, 1, 2, 0x24, 0x03, 0x04, 0x01, 3, 0, 0, 0x02, 0x82,
            0, 1, 5, 0, 0, 9,
        ];
        let (der, taken) = to_der(&ber).unwrap();
        assert_eq!(*der, [0x30, 8, 4, 3, 1, 2, 3, 2, 1, 5]);
        assert_eq!(taken, ber.len() - 1);
        assert_eq!(*to_der(&der).unwrap().0, *der);
    }

    #[test]
    fn what_is_no_ber_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x04, 0x80, 0, 0],
            &[0x30, 0x80, 0x04, 0x01, 1],
            &[0x30, 0x85, 1, 0, 0, 0, 0],
            &[0x24, 0x03, 0x02, 0x01, 1],
            &[0x1f, 0x01, 0],
        ] {
            assert!(to_der(bytes).is_err(), "{bytes:x?}");
        }
    }
}
