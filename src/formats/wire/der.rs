//! A zero-copy reader of DER elements (X.690, section 8.1 and 10.1).
//!
//! It checks lengths against the bytes that are there and recurses nowhere, so hostile nesting costs
//! nothing. Strictness beyond framing is the caller's.

/// Identifier octet of BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Identifier octet of INTEGER.
pub const INTEGER: u8 = 0x02;
/// Identifier octet of BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// Identifier octet of OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Identifier octet of NULL.
pub const NULL: u8 = 0x05;
/// Identifier octet of OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// Identifier octet of IA5String.
pub const IA5_STRING: u8 = 0x16;
/// Identifier octet of SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// Identifier octet of SET.
pub const SET: u8 = 0x31;

/// Identifier octet of a constructed context-specific tag `[number]`.
pub const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Identifier octet of a primitive context-specific tag `[number]`.
pub const fn context_primitive(number: u8) -> u8 {
    0x80 | number
}

/// Why bytes are not a DER element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// The element, or its header, reaches past the end of the bytes.
    #[error("reaches past the end")]
    Truncated {
        /// How long the element says it is, header included, where the header could be read.
        needed: Option<usize>,
    },
    /// Not a definite, minimal length of at most four bytes, or a tag number above 30.
    #[error("not a DER header")]
    Header,
    /// Another tag was expected.
    #[error("unexpected tag")]
    Tag,
    /// Bytes follow where none may.
    #[error("trailing bytes")]
    Trailing,
    /// The contents are not what the type requires.
    #[error("invalid contents")]
    Contents,
}

/// One DER element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// Identifier octet.
    pub tag: u8,
    /// Header and contents.
    pub raw: &'a [u8],
    /// Contents alone.
    pub content: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the element at the start of `bytes`, and gives what follows it.
    pub fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DerError> {
        let (tag, header, length) = header(bytes)?;
        let total = header.checked_add(length).ok_or(DerError::Header)?;
        match (
            bytes.get(..total),
            bytes.get(header..total),
            bytes.get(total..),
        ) {
            (Some(raw), Some(content), Some(rest)) => Ok((Self { tag, raw, content }, rest)),
            _ => Err(DerError::Truncated {
                needed: Some(total),
            }),
        }
    }

    /// Reads an element that must fill `bytes`.
    pub fn read_all(bytes: &'a [u8]) -> Result<Self, DerError> {
        match Self::read(bytes)? {
            (element, []) => Ok(element),
            _ => Err(DerError::Trailing),
        }
    }

    /// A reader over the contents, if the tag is the given one.
    pub fn enter(&self, tag: u8) -> Result<Reader<'a>, DerError> {
        if self.tag == tag {
            Ok(Reader::new(self.content))
        } else {
            Err(DerError::Tag)
        }
    }

    /// The magnitude of a non-negative INTEGER, without leading zeros (zero is empty).
    pub fn unsigned(&self) -> Result<&'a [u8], DerError> {
        if self.tag != INTEGER {
            return Err(DerError::Tag);
        }
        match self.content {
            [] => Err(DerError::Contents),
            [first, ..] if first & 0x80 != 0 => Err(DerError::Contents),
            bytes => Ok(trim_zeros(bytes)),
        }
    }

    /// A small non-negative INTEGER.
    pub fn small(&self) -> Result<u64, DerError> {
        let bytes = self.unsigned()?;
        if bytes.len() > 8 {
            return Err(DerError::Contents);
        }
        Ok(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// The bytes of a BIT STRING with no unused bits.
    pub fn bits(&self) -> Result<&'a [u8], DerError> {
        match (self.tag, self.content) {
            (BIT_STRING, [0, bytes @ ..]) => Ok(bytes),
            (BIT_STRING, _) => Err(DerError::Contents),
            _ => Err(DerError::Tag),
        }
    }
}

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

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next identifier octet, without reading on.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element.
    pub fn element(&mut self) -> Result<Element<'a>, DerError> {
        let (element, rest) = Element::read(self.rest)?;
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

    /// The next element if it has the given tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) {
            self.element().map(Some)
        } else {
            Ok(None)
        }
    }

    /// A reader over the contents of the next element, which must have the given tag.
    pub fn enter(&mut self, tag: u8) -> Result<Reader<'a>, DerError> {
        Ok(Reader::new(self.expect(tag)?.content))
    }

    /// Fails if something is left.
    pub const fn finish(&self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DerError::Trailing)
        }
    }
}

/// Reads a header: identifier octet, length of the header, length of the contents.
pub fn header(bytes: &[u8]) -> Result<(u8, usize, usize), DerError> {
    let truncated = DerError::Truncated { needed: None };
    let tag = *bytes.first().ok_or(truncated)?;
    if tag & 0x1f == 0x1f {
        return Err(DerError::Header);
    }
    let first = *bytes.get(1).ok_or(truncated)?;
    if first < 0x80 {
        return Ok((tag, 2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(DerError::Header);
    }
    let octets = bytes.get(2..2 + count).ok_or(truncated)?;
    let length = octets.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
    let minimal = length >= 0x80 && octets.first() != Some(&0);
    if minimal {
        Ok((tag, 2 + count, length))
    } else {
        Err(DerError::Header)
    }
}

/// Drops leading zero bytes.
pub fn trim_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Writes an element with a definite, minimal length.
pub fn encode(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|c| c.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        out.push(short);
    } else {
        let octets = length.to_be_bytes();
        let octets = trim_zeros(&octets);
        // At most eight octets, so the count fits.
        out.push(0x80 | u8::try_from(octets.len()).unwrap_or(0x7f));
        out.extend_from_slice(octets);
    }
    for part in contents {
        out.extend_from_slice(part);
    }
    out
}

/// Writes a non-negative INTEGER from its big-endian magnitude.
pub fn encode_unsigned(magnitude: &[u8]) -> Vec<u8> {
    let magnitude = trim_zeros(magnitude);
    match magnitude.first() {
        Some(first) if first & 0x80 == 0 => encode(INTEGER, &[magnitude]),
        _ => encode(INTEGER, &[&[0], magnitude]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_short_and_long_lengths() {
        let mut bytes = vec![SEQUENCE, 0x81, 0x80];
        bytes.extend_from_slice(&[5; 0x80]);
        let element = Element::read_all(&bytes).unwrap();
        assert_eq!(element.content.len(), 0x80);
        assert_eq!(encode(SEQUENCE, &[element.content]), bytes);
    }

    #[test]
    fn refuses_what_is_not_der() {
        assert_eq!(header(&[0x30, 0x80]), Err(DerError::Header));
        assert_eq!(header(&[0x30, 0x81, 0x7f]), Err(DerError::Header));
        assert_eq!(header(&[0x30, 0x82, 0x00, 0xff]), Err(DerError::Header));
        assert_eq!(header(&[0x3f, 0x01]), Err(DerError::Header));
        assert_eq!(
            Element::read(&[0x30, 0x03, 0x00]),
            Err(DerError::Truncated { needed: Some(5) })
        );
    }

    #[test]
    fn integers_lose_their_sign_byte_only() {
        let element = Element::read_all(&[INTEGER, 2, 0, 0x80]).unwrap();
        assert_eq!(element.unsigned().unwrap(), [0x80]);
        assert_eq!(element.small().unwrap(), 0x80);
        assert_eq!(encode_unsigned(&[0x80]), [INTEGER, 2, 0, 0x80]);
        assert_eq!(encode_unsigned(&[]), [INTEGER, 1, 0]);
        assert!(
            Element::read_all(&[INTEGER, 1, 0xff])
                .unwrap()
                .unsigned()
                .is_err()
        );
    }
}
