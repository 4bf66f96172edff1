//! One record as compact JSON: the bytes that `serde_json` writes, at a fraction of its cost.
//!
//! A report of a large estate is gigabytes of short texts, and most of them need no escape; the names of members never do.

use crate::model::text::PLAIN;
use serde::de::value::Error;
use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use std::fmt::{self, Write as _};
use std::io;

/// Appends a record as compact JSON (RFC 8259), without a line break.
pub(super) fn append(out: &mut Vec<u8>, record: &impl Serialize) -> io::Result<()> {
    record.serialize(Json::new(out)).map_err(io::Error::other)
}

/// What writes a value. If it is told that strings are plain, it takes any string for one that needs no escape.
struct Json<'a, const PLAIN_STRINGS: bool = false> {
    out: &'a mut Vec<u8>,
}

/// A list or an object that was opened.
struct Open<'a> {
    out: &'a mut Vec<u8>,
    /// What closes it.
    end: &'static [u8],
}

/// Appends what is displayed as a part of a string.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Appends a string that needs no escape.
#[inline]
fn plain_string(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Appends a text with what RFC 8259 (section 7) does not allow in a string escaped.
fn escape(out: &mut Vec<u8>, text: &str) {
    if !needs_escape(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        let letter = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0..0x20 => {
                // Writing to a Vec does not fail.
                let _ = io::Write::write_fmt(out, format_args!("\\u{byte:04x}"));
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
}

/// Whether a control character, a quote or a backslash is among the bytes. Many are looked at together, the last ones of them perhaps twice.
#[inline]
fn needs_escape(bytes: &[u8]) -> bool {
    if bytes.len() > 16 {
        return is_one_special(bytes);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        return special(first) | special(last) != 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return special(u64::from(first) << 32 | u64::from(last)) != 0;
    }
    bytes
        .iter()
        .any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'))
}

/// Not zero if one of the bytes of a word is a control character, a quote or a backslash.
#[inline]
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let same = quote.wrapping_sub(ONES) & !quote | backslash.wrapping_sub(ONES) & !backslash;
    (control | same) & (ONES << 7)
}

/// The same of many bytes, sixteen at once: in this form that is a few instructions.
fn is_one_special(bytes: &[u8]) -> bool {
    const AT_ONCE: usize = 16;
    let special =
        |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    let mut found = [0; AT_ONCE];
    let mut look = |part: &[u8; AT_ONCE]| {
        for (found, byte) in found.iter_mut().zip(part) {
            *found |= special(*byte);
        }
    };
    bytes.as_chunks().0.iter().for_each(&mut look);
    bytes.last_chunk().into_iter().for_each(look);
    found != [0; AT_ONCE]
}

fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    // The longest has 20 digits.
    let mut digits = [0u8; 20];
    let mut length = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        length += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

impl<'a> Json<'a> {
    const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }
}

impl<'a, const PLAIN_STRINGS: bool> Json<'a, PLAIN_STRINGS> {
    fn raw(self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn open(self, start: u8, end: &'static [u8]) -> Open<'a> {
        self.out.push(start);
        Open { out: self.out, end }
    }

    /// `{"name":` and what a variant of an enum holds.
    fn variant(self, name: &str, start: u8, end: &'static [u8]) -> Open<'a> {
        self.out.push(b'{');
        plain_string(self.out, name.as_bytes());
        self.out.push(b':');
        self.open(start, end)
    }
}

impl<'a, const PLAIN_STRINGS: bool> ser::Serializer for Json<'a, PLAIN_STRINGS> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeTupleStruct = Open<'a>;
    type SerializeTupleVariant = Open<'a>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;
    type SerializeStructVariant = Open<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.raw(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        if value < 0 {
            self.out.push(b'-');
        }
        unsigned(self.out, value.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        unsigned(self.out, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        serde_json::to_writer(self.out, &value).map_err(ser::Error::custom)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serde_json::to_writer(self.out, &value).map_err(ser::Error::custom)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.collect_str(&value)
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if PLAIN_STRINGS {
            plain_string(self.out, text.as_bytes());
        } else {
            string(self.out, text);
        }
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        if PLAIN_STRINGS {
            plain_string(self.out, bytes);
            Ok(())
        } else {
            self.collect_seq(bytes)
        }
    }

    fn is_human_readable(&self) -> bool {
        !PLAIN_STRINGS
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.raw(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Error> {
        plain_string(self.out, name.as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name == PLAIN {
            value.serialize(Json::<true> { out: self.out })
        } else {
            value.serialize(Json::new(self.out))
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut open = self.open(b'{', b"}");
        open.member(name, value)?;
        open.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Open<'a>, Error> {
        Ok(self.variant(name, b'[', b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Open<'a>, Error> {
        Ok(self.variant(name, b'{', b"}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.out.push(b'"');
        write!(Escaped(self.out), "{value}").map_err(ser::Error::custom)?;
        self.out.push(b'"');
        Ok(())
    }
}

impl Open<'_> {
    /// What is added has a comma behind it, until the end takes the place of the last one.
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Json::new(self.out))?;
        self.out.push(b',');
        Ok(())
    }

    /// A member by a name of the contract, which needs no escape.
    // Where it is inlined, the name is known, and what comes before the value is a few stores.
    #[inline(always)]
    fn member<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        const LONGEST: usize = 36;
        let mut text = [0; LONGEST + 3];
        let length = name.len();
        match text.get_mut(1..length + 3) {
            Some(room) => {
                let (start, end) = room.split_at_mut(length);
                start.copy_from_slice(name.as_bytes());
                end.copy_from_slice(b"\":");
                text[0] = b'"';
                self.out
                    .extend_from_slice(text.get(..length + 3).unwrap_or_default());
            }
            None => {
                plain_string(self.out, name.as_bytes());
                self.out.push(b':');
            }
        }
        self.element(value)
    }

    #[inline]
    fn close(self) -> Result<(), Error> {
        match (self.out.last_mut(), self.end) {
            (Some(comma @ b','), [end, more @ ..]) => {
                *comma = *end;
                self.out.extend_from_slice(more);
            }
            _ => self.out.extend_from_slice(self.end),
        }
        Ok(())
    }
}

/// What has elements, or members by name, each under one method of its trait.
macro_rules! parts {
    ($($kind:ident: $method:ident($($name:ident)?) by $by:ident;)*) => {$(
        impl $kind for Open<'_> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), Error> {
                self.$by($($name,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

parts! {
    SerializeSeq: serialize_element() by element;
    SerializeTuple: serialize_element() by element;
    SerializeTupleStruct: serialize_field() by element;
    SerializeTupleVariant: serialize_field() by element;
    SerializeStruct: serialize_field(name) by member;
    SerializeStructVariant: serialize_field(name) by member;
}

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.out.len();
        key.serialize(Json::new(self.out))?;
        match self.out.get(start) {
            Some(b'"') => Ok(()),
            Some(b'0'..=b'9' | b'-' | b't' | b'f') => {
                self.out.insert(start, b'"');
                self.out.push(b'"');
                Ok(())
            }
            _ => Err(ser::Error::custom("a member's name must be a string")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Hex, KeyId, Mode};
    use proptest::prelude::*;
    use serde::Serialize;
    use serde_json::Value;
    use std::collections::BTreeMap;

    #[derive(Serialize, Debug)]
    enum Shape {
        Unit,
        New(Option<u8>),
        Two(i64, char),
        Named { text: String, list: Vec<Shape> },
    }

    #[derive(Serialize, Debug)]
    struct Pair(u64, bool);

    fn written(record: &impl Serialize) -> String {
        let mut out = Vec::new();
        append(&mut out, record).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x7f]{0,80}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_written_as_serde_json_writes_it(value in value()) {
            prop_assert_eq!(written(&value), serde_json::to_string(&value).unwrap());
        }
    }

    #[test]
    fn every_shape_is_written_as_serde_json_writes_it() {
        let shapes = [
            Shape::Unit,
            Shape::New(None),
            Shape::New(Some(200)),
            Shape::Two(i64::MIN, '"'),
            Shape::Named {
                text: "\u{0}\u{8}\u{c}\u{1f}\u{7f}\u{80}é\u{2028}".to_owned(),
                list: vec![Shape::Unit, Shape::Two(-1, '\u{1f600}')],
            },
        ];
        for shape in &shapes {
            assert_eq!(written(shape), serde_json::to_string(shape).unwrap());
        }
        let pair = (Pair(u64::MAX, true), Pair(0, false), (), 1.5f32, f64::NAN);
        assert_eq!(written(&pair), serde_json::to_string(&pair).unwrap());
        let numbers = BTreeMap::from([(-3i32, "a"), (7, "b")]);
        assert_eq!(written(&numbers), serde_json::to_string(&numbers).unwrap());
        let plain = (KeyId::Spki(Hex([0xa5; 32])), Mode(0o640), Hex([1; 40]));
        let by_text = BTreeMap::from([(plain.0.clone(), plain)]);
        assert_eq!(written(&by_text), serde_json::to_string(&by_text).unwrap());
        assert!(append(&mut Vec::new(), &BTreeMap::from([(vec![1], 1)])).is_err());
    }
}
