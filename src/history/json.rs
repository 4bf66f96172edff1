//! One record from compact JSON: what `serde_json` reads, at a fraction of its cost.
//!
//! It knows the forms that keymuster writes. Of everything else it says [`Other`], and `serde_json` decides; so it never has to tell what is
//! wrong with a text, but must not take anything for more than `serde_json` does.

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer, U64Deserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use std::fmt;

/// The text is not of the forms that are read here, or not what is wanted.
#[derive(Debug)]
pub(super) struct Other;

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another form of JSON")
    }
}

impl std::error::Error for Other {}

impl serde::de::Error for Other {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Lists and objects in each other; the records have fewer.
const DEPTH_MAX: u32 = 64;

/// Reads a record that takes the whole text. A member that it does not have is passed over most cheaply as `first`, with the comma behind it,
/// where it is the first one.
pub(super) fn read<'de, T: Deserialize<'de>>(text: &'de str, first: &[u8]) -> Result<T, Other> {
    // No string may have them; between its parts a record of ours has none either.
    if text
        .bytes()
        .fold(false, |found, byte| found | (byte < 0x20))
    {
        return Err(Other);
    }
    let mut json = Json {
        text,
        first,
        at: 0,
        depth: 0,
        copy: String::new(),
    };
    let record = T::deserialize(&mut json)?;
    if json.at == text.len() {
        Ok(record)
    } else {
        Err(Other)
    }
}

struct Json<'de, 'a> {
    text: &'de str,
    /// What is passed over at the start of the outermost object.
    first: &'a [u8],
    /// What comes next.
    at: usize,
    depth: u32,
    /// A string of which the text has escapes.
    copy: String,
}

/// A string, borrowed where the text has it as it is.
enum Text<'de, 'a> {
    Borrowed(&'de str),
    Copied(&'a str),
}

impl<'de> Json<'de, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Passes over a byte that must stand here.
    fn pass(&mut self, byte: u8) -> Result<(), Other> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Other)
        }
    }

    /// Passes over a word that must stand here.
    fn word(&mut self, word: &str) -> Result<(), Other> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(Other)
        }
    }

    fn string(&mut self) -> Result<Text<'de, '_>, Other> {
        self.pass(b'"')?;
        let start = self.at;
        self.at += plain(self.rest());
        match self.peek() {
            Some(b'"') => {
                let text = self.text.get(start..self.at).ok_or(Other)?;
                self.at += 1;
                Ok(Text::Borrowed(text))
            }
            Some(b'\\') => self.with_escapes(start).map(Text::Copied),
            _ => Err(Other),
        }
    }

    /// A string with escapes that stand for one character each.
    #[cold]
    fn with_escapes(&mut self, start: usize) -> Result<&str, Other> {
        self.copy.clear();
        let mut start = start;
        loop {
            let part = self.text.get(start..self.at).ok_or(Other)?;
            self.copy.push_str(part);
            let escaped = match self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    return Ok(&self.copy);
                }
                [b'\\', escaped, ..] => escaped,
                _ => return Err(Other),
            };
            self.copy.push(match escaped {
                b'"' | b'\\' | b'/' => char::from(*escaped),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                _ => return Err(Other),
            });
            self.at += 2;
            start = self.at;
            self.at += plain(self.rest());
        }
    }

    /// A whole number; neither sign nor fraction nor exponent.
    fn unsigned(&mut self) -> Result<u64, Other> {
        let mut number = 0u64;
        let mut count = 0;
        for byte in self.rest() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        }
        let first = self.peek();
        self.at += count;
        let ends = !matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        // Nineteen digits are always less than 2^64.
        if ends && matches!(count, 1..=19) && (count == 1 || first != Some(b'0')) {
            Ok(number)
        } else {
            Err(Other)
        }
    }

    fn negative(&mut self) -> Result<i64, Other> {
        self.pass(b'-')?;
        match self.unsigned()? {
            // A float to serde_json.
            0 => Err(Other),
            number => i64::try_from(number)
                .map(|number| -number)
                .map_err(|_| Other),
        }
    }

    fn open(&mut self, byte: u8) -> Result<(), Other> {
        self.pass(byte)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Other);
        }
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), Other> {
        self.depth -= 1;
        self.pass(byte)
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Other> {
        self.open(b'[')?;
        let list = visitor.visit_seq(Parts {
            json: self,
            names: &[],
            next: 0,
            is_first: true,
        })?;
        self.close(b']')?;
        Ok(list)
    }

    fn object<V: Visitor<'de>>(
        &mut self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Other> {
        self.open(b'{')?;
        if self.depth == 1
            && let Some([b'"', ..]) = self.rest().strip_prefix(self.first)
        {
            self.at += self.first.len();
        }
        let object = visitor.visit_map(Parts {
            json: self,
            names,
            next: 0,
            is_first: true,
        })?;
        self.close(b'}')?;
        Ok(object)
    }
}

const ONES: u64 = u64::MAX / 0xff;
const TOPS: u64 = ONES << 7;

/// The lowest byte of the word that is this one has its top bit set; if there is none, the result is zero.
#[inline]
const fn equal(word: u64, byte: u8) -> u64 {
    let word = word ^ (ONES * byte as u64);
    word.wrapping_sub(ONES) & !word & TOPS
}

/// How many bytes come before the first quote or backslash; eight are looked at together.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut count = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let found = equal(word, b'"') | equal(word, b'\\');
        if found != 0 {
            return count + found.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\');
    count + rest.iter().position(special).unwrap_or(rest.len())
}

impl<'de> Deserializer<'de> for &mut Json<'de, '_> {
    type Error = Other;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        match self.peek() {
            Some(b'"') => self.deserialize_str(visitor),
            Some(b'{') => self.object(&[], visitor),
            Some(b'[') => self.list(visitor),
            Some(b't') => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            Some(b'n') => {
                self.word("null")?;
                visitor.visit_unit()
            }
            Some(b'-') => visitor.visit_i64(self.negative()?),
            _ => visitor.visit_u64(self.unsigned()?),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        match self.string()? {
            Text::Borrowed(text) => visitor.visit_borrowed_str(text),
            Text::Copied(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        visitor.visit_u64(self.unsigned()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Other> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Other> {
        self.object(names, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Other> {
        match self.string()? {
            Text::Borrowed(text) => visitor.visit_enum(Word(text)),
            Text::Copied(_) => Err(Other),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The members of an object, or the elements of a list.
struct Parts<'a, 'de, 'f> {
    json: &'a mut Json<'de, 'f>,
    /// The names that are still to come, in the order in which they are written.
    names: &'static [&'static str],
    /// The number of the first of them.
    next: usize,
    is_first: bool,
}

impl Parts<'_, '_, '_> {
    /// Whether another follows.
    #[inline]
    fn follows(&mut self, end: u8) -> Result<bool, Other> {
        if self.json.peek() == Some(end) {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.json.pass(b',')?;
        }
        Ok(true)
    }

    /// The number of the name that stands here, if it is one of those that come next; the name is passed over.
    #[inline]
    fn known(&mut self) -> Option<u64> {
        let rest = self.json.rest().strip_prefix(b"\"")?;
        // What the names of absent members have not in common with this one is mostly the length.
        let name = rest.get(..plain(rest))?;
        let mut number = self.next;
        let mut later = self.names.iter();
        while let Some(other) = later.next() {
            number += 1;
            if other.len() == name.len() && is_same(other.as_bytes(), name) {
                // A name that does not end here is none of these.
                if rest.get(name.len()) != Some(&b'"') {
                    return None;
                }
                self.json.at += name.len() + 2;
                self.names = later.as_slice();
                self.next = number;
                return Some(number as u64 - 1);
            }
        }
        None
    }
}

/// Whether two names of one length are the same: two words, which may overlap, say it of most.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    match one.len() {
        8..=16 => {
            one.first_chunk::<8>() == other.first_chunk::<8>()
                && one.last_chunk::<8>() == other.last_chunk::<8>()
        }
        4..8 => {
            one.first_chunk::<4>() == other.first_chunk::<4>()
                && one.last_chunk::<4>() == other.last_chunk::<4>()
        }
        2..4 => {
            one.first_chunk::<2>() == other.first_chunk::<2>()
                && one.last_chunk::<2>() == other.last_chunk::<2>()
        }
        _ => one == other,
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de, '_> {
    type Error = Other;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Other> {
        if !self.follows(b'}')? {
            return Ok(None);
        }
        // A derived reader knows its members by number too, which saves the comparing of texts.
        let name = if let Some(number) = self.known() {
            seed.deserialize(U64Deserializer::new(number))
        } else {
            match self.json.string()? {
                Text::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
                Text::Copied(name) => seed.deserialize(StrDeserializer::new(name)),
            }
        };
        self.json.pass(b':')?;
        name.map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Other> {
        seed.deserialize(&mut *self.json)
    }
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de, '_> {
    type Error = Other;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Other> {
        if !self.follows(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.json).map(Some)
    }

    /// Most lists have one element, and need not have room for more.
    fn size_hint(&self) -> Option<usize> {
        Some(usize::from(self.json.peek() != Some(b']')))
    }
}

/// A variant without content.
struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Other;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Other> {
        let name: BorrowedStrDeserializer<'de, Other> = BorrowedStrDeserializer::new(self.0);
        seed.deserialize(name).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Other;

    fn unit_variant(self) -> Result<(), Other> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Other> {
        Err(Other)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Other> {
        Err(Other)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Other> {
        Err(Other)
    }
}

#[cfg(test)]
mod tests;
