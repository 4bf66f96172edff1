//! A reader of Java's object streams (Java Object Serialization Specification, chapter 6), as far as keystores use them.
//!
//! It instantiates nothing: it gives classes' names and fields' values. Everything is bounded by the bytes that are
//! there, by a depth and by a number of items.

use super::java::{Cut, Input};

/// The beginning of a stream: magic number and version.
pub const STREAM: &[u8] = &[0xac, 0xed, 0, 5];

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS_DESCRIPTION: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END_OF_BLOCKS: u8 = 0x78;
const LONG_BLOCK: u8 = 0x7a;
const LONG_STRING: u8 = 0x7c;
const ENUM: u8 = 0x7e;
/// Handles are counted from here.
const FIRST_HANDLE: u32 = 0x7e_0000;

const WRITE_METHOD: u8 = 0x01;
const SERIALIZABLE: u8 = 0x02;
const EXTERNALIZABLE: u8 = 0x04;
const BLOCK_DATA: u8 = 0x08;

/// How deep objects may lie in one another. A sealed key has three levels.
const DEPTH_MAX: usize = 16;
/// How many items (objects, classes, fields, elements) one object may consist of.
const ITEMS_MAX: usize = 2_000;

/// Why bytes are no object that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// They end before it does.
    #[error(transparent)]
    Cut(#[from] Cut),
    /// They are no object stream, or one with more in it than a keystore needs.
    #[error("not an object that a keystore would hold")]
    Malformed,
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, in modified UTF-8.
    Text(&'a [u8]),
    /// An array of bytes.
    Bytes(&'a [u8]),
    /// An object; its number counts in the order of `Object::classes`.
    Object(usize),
    /// Anything else.
    Other,
}

/// One class's part of an object, or an enumeration's constant without its name.
#[derive(Debug)]
struct Field<'a> {
    owner: usize,
    name: &'a [u8],
    value: Value<'a>,
}

/// An object and everything inside it.
#[derive(Debug, Default)]
pub struct Object<'a> {
    /// Names of the objects' classes, in the order in which the objects begin; the first is the outermost one's.
    classes: Vec<&'a [u8]>,
    fields: Vec<Field<'a>>,
}

impl<'a> Object<'a> {
    /// The object at the start of a stream that begins at a place in the bytes, and the place behind it.
    pub fn read(bytes: &'a [u8], at: usize) -> Result<(Self, usize), ObjectError> {
        let mut input = Input::new(bytes, at);
        if input.take(STREAM.len())? != STREAM {
            return Err(ObjectError::Malformed);
        }
        let mut walk = Walk {
            input,
            handles: Vec::new(),
            classes: Vec::new(),
            items: 0,
            object: Self::default(),
        };
        match walk.content(0)? {
            Value::Object(0) => Ok((walk.object, walk.input.at())),
            _ => Err(ObjectError::Malformed),
        }
    }

    /// The name of the outermost object's class.
    pub fn class(&self) -> &'a [u8] {
        self.classes.first().copied().unwrap_or_default()
    }

    /// A field of the outermost object that is an array of bytes.
    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find_map(|field| match field.value {
            Value::Bytes(bytes) if field.is(name) => Some(bytes),
            _ => None,
        })
    }

    /// A field of the outermost object that is a text.
    pub fn text(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find_map(|field| match field.value {
            Value::Text(text) if field.is(name) => Some(text),
            _ => None,
        })
    }
}

impl Field<'_> {
    fn is(&self, name: &str) -> bool {
        self.owner == 0 && self.name == name.as_bytes()
    }
}

/// What a handle stands for.
#[derive(Debug, Clone, Copy)]
enum Handle<'a> {
    Class(usize),
    Value(Value<'a>),
}

#[derive(Debug)]
struct Class<'a> {
    name: &'a [u8],
    flags: u8,
    /// Type code and name.
    fields: Vec<(u8, &'a [u8])>,
    parent: Option<usize>,
}

struct Walk<'a> {
    input: Input<'a>,
    handles: Vec<Handle<'a>>,
    classes: Vec<Class<'a>>,
    items: usize,
    object: Object<'a>,
}

impl<'a> Walk<'a> {
    fn count(&mut self) -> Result<(), ObjectError> {
        self.items += 1;
        if self.items > ITEMS_MAX {
            return Err(ObjectError::Malformed);
        }
        Ok(())
    }

    fn referred(&mut self) -> Result<Handle<'a>, ObjectError> {
        let number = self.input.u32()?.checked_sub(FIRST_HANDLE);
        let index = number.and_then(|n| usize::try_from(n).ok());
        let handle = index.and_then(|i| self.handles.get(i));
        handle.copied().ok_or(ObjectError::Malformed)
    }

    /// One object, text, array or constant.
    fn content(&mut self, depth: usize) -> Result<Value<'a>, ObjectError> {
        self.count()?;
        if depth > DEPTH_MAX {
            return Err(ObjectError::Malformed);
        }
        match self.input.u8()? {
            NULL => Ok(Value::Other),
            REFERENCE => match self.referred()? {
                Handle::Value(value) => Ok(value),
                Handle::Class(_) => Ok(Value::Other),
            },
            STRING => {
                let text = self.input.utf()?;
                Ok(self.remember(Value::Text(text)))
            }
            LONG_STRING => {
                let length = self.input.i64()?;
                let length = usize::try_from(length).map_err(|_| ObjectError::Malformed)?;
                let text = self.input.take(length)?;
                Ok(self.remember(Value::Text(text)))
            }
            ARRAY => self.array(depth),
            ENUM => {
                self.class(depth)?;
                self.remember(Value::Other);
                self.content(depth + 1)?;
                Ok(Value::Other)
            }
            OBJECT => self.object(depth),
            _ => Err(ObjectError::Malformed),
        }
    }

    fn remember(&mut self, value: Value<'a>) -> Value<'a> {
        self.handles.push(Handle::Value(value));
        value
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, ObjectError> {
        let class = self.class(depth)?.ok_or(ObjectError::Malformed)?;
        let name = self.classes.get(class).map(|c| c.name).unwrap_or_default();
        let place = self.handles.len();
        self.remember(Value::Other);
        let count = usize::try_from(self.input.u32()?).unwrap_or(usize::MAX);
        let &[b'[', element, ..] = name else {
            return Err(ObjectError::Malformed);
        };
        let Some(width) = width(element) else {
            for _ in 0..count {
                self.content(depth + 1)?;
            }
            return Ok(Value::Other);
        };
        let bytes = self.input.take(count.saturating_mul(width))?;
        let value = match element {
            b'B' => Value::Bytes(bytes),
            _ => Value::Other,
        };
        if let Some(handle) = self.handles.get_mut(place) {
            *handle = Handle::Value(value);
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, ObjectError> {
        let class = self.class(depth)?.ok_or(ObjectError::Malformed)?;
        let number = self.object.classes.len();
        let name = self.classes.get(class).map(|c| c.name).unwrap_or_default();
        self.object.classes.push(name);
        let value = self.remember(Value::Object(number));
        // The topmost class stands first. A hostile stream can make a ring of them.
        let mut line = vec![class];
        while let Some(parent) = line.last().and_then(|c| self.classes.get(*c)?.parent) {
            if line.len() > DEPTH_MAX {
                return Err(ObjectError::Malformed);
            }
            line.push(parent);
        }
        for class in line.into_iter().rev() {
            let Some(flags) = self.classes.get(class).map(|c| c.flags) else {
                return Err(ObjectError::Malformed);
            };
            if flags & SERIALIZABLE != 0 {
                self.values(class, number, depth)?;
                if flags & WRITE_METHOD != 0 {
                    self.annotation(depth)?;
                }
            } else if flags & EXTERNALIZABLE != 0 && flags & BLOCK_DATA != 0 {
                self.annotation(depth)?;
            } else if flags & EXTERNALIZABLE != 0 {
                return Err(ObjectError::Malformed);
            }
        }
        Ok(value)
    }

    fn values(&mut self, class: usize, owner: usize, depth: usize) -> Result<(), ObjectError> {
        let fields = self.classes.get(class).map(|c| c.fields.clone());
        for (code, name) in fields.unwrap_or_default() {
            self.count()?;
            let value = match width(code) {
                Some(width) => {
                    self.input.take(width)?;
                    Value::Other
                }
                None => self.content(depth + 1)?,
            };
            self.object.fields.push(Field { owner, name, value });
        }
        Ok(())
    }

    /// What a class writes behind its fields: blocks of bytes and objects.
    fn annotation(&mut self, depth: usize) -> Result<(), ObjectError> {
        loop {
            self.count()?;
            match self.input.rest().first() {
                Some(&END_OF_BLOCKS) => {
                    self.input.u8()?;
                    return Ok(());
                }
                Some(&BLOCK) => {
                    self.input.u8()?;
                    let length = self.input.u8()?;
                    self.input.take(usize::from(length))?;
                }
                Some(&LONG_BLOCK) => {
                    self.input.u8()?;
                    self.input.counted()?;
                }
                _ => {
                    self.content(depth + 1)?;
                }
            }
        }
    }

    /// A class description; nothing if it is null.
    fn class(&mut self, depth: usize) -> Result<Option<usize>, ObjectError> {
        self.count()?;
        if depth > DEPTH_MAX {
            return Err(ObjectError::Malformed);
        }
        match self.input.u8()? {
            NULL => return Ok(None),
            REFERENCE => {
                return match self.referred()? {
                    Handle::Class(class) => Ok(Some(class)),
                    Handle::Value(_) => Err(ObjectError::Malformed),
                };
            }
            CLASS_DESCRIPTION => {}
            _ => return Err(ObjectError::Malformed),
        }
        let name = self.input.utf()?;
        self.input.i64()?;
        let number = self.classes.len();
        self.classes.push(Class {
            name,
            flags: 0,
            fields: Vec::new(),
            parent: None,
        });
        self.handles.push(Handle::Class(number));
        let flags = self.input.u8()?;
        let mut fields = Vec::new();
        for _ in 0..self.input.u16()? {
            self.count()?;
            let code = self.input.u8()?;
            fields.push((code, self.input.utf()?));
            if width(code).is_none() {
                if !matches!(code, b'L' | b'[') {
                    return Err(ObjectError::Malformed);
                }
                self.content(depth + 1)?;
            }
        }
        self.annotation(depth)?;
        let parent = self.class(depth + 1)?;
        if let Some(class) = self.classes.get_mut(number) {
            class.flags = flags;
            class.fields = fields;
            class.parent = parent;
        }
        Ok(Some(number))
    }
}

/// How many bytes a value of a primitive type has; nothing for objects and arrays.
const fn width(code: u8) -> Option<usize> {
    match code {
        b'B' | b'Z' => Some(1),
        b'C' | b'S' => Some(2),
        b'F' | b'I' => Some(4),
        b'D' | b'J' => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SecretKeySpec(16 bytes of 0x41, "AES") as `ObjectOutputStream` of OpenJDK 17 writes it.
    const KEY: &[u8] = b"\xac\xed\0\x05sr\0\x1fjavax.crypto.spec.SecretKeySpec[G\x0bf\xe20aM\x02\0\x02L\0\talgorithmt\0\x12Ljava/lang/String;[\0\x03keyt\0\x02[Bxpt\0\x03AESur\0\x02[B\xac\xf3\x17\xf8\x06\x08T\xe0\x02\0\0xp\0\0\0\x10AAAAAAAAAAAAAAAA";

    #[test]
    fn a_key_is_read_with_its_fields() {
        let (object, end) = Object::read(KEY, 0).unwrap();
        assert_eq!(end, KEY.len());
        assert_eq!(object.class(), b"javax.crypto.spec.SecretKeySpec");
        assert_eq!(object.text("algorithm"), Some(&b"AES"[..]));
        assert_eq!(object.bytes("key"), Some(&[0x41; 16][..]));
        assert_eq!(object.bytes("algorithm"), None);
    }

    #[test]
    fn every_cut_is_told_as_one() {
        for length in 0..KEY.len() {
            let read = Object::read(KEY.get(..length).unwrap(), 0);
            assert!(matches!(read, Err(ObjectError::Cut(_))), "{length}");
        }
    }

    #[test]
    fn no_byte_makes_it_hang_or_panic() {
        for at in 0..KEY.len() {
            for value in [0, 1, 0x70, 0x71, 0x72, 0x73, 0x75, 0x78, 0x7f, 0xff] {
                let mut bytes = KEY.to_vec();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
                let _ = Object::read(&bytes, 0);
            }
        }
    }

    #[test]
    fn depth_and_number_of_items_are_bounded() {
        // An array of arrays of arrays …, each with four billion elements.
        let mut deep = STREAM.to_vec();
        for _ in 0..10_000 {
            deep.extend_from_slice(
                b"\x75\x72\0\x02[[\0\0\0\0\0\0\0\0\x02\0\0\x78\x70\xff\xff\xff\xff",
            );
        }
        assert_eq!(Object::read(&deep, 0).unwrap_err(), ObjectError::Malformed);
        let mut wide = STREAM.to_vec();
        wide.extend_from_slice(b"\x75\x72\0\x02[[\0\0\0\0\0\0\0\0\x02\0\0\x78\x70\xff\xff\xff\xff");
        wide.extend_from_slice(&[NULL; 100_000]);
        assert_eq!(Object::read(&wide, 0).unwrap_err(), ObjectError::Malformed);
    }

    #[test]
    fn a_class_that_is_its_own_ancestor_ends() {
        let ring =
            b"\xac\xed\0\x05\x73\x72\0\x01a\0\0\0\0\0\0\0\0\x02\0\0\x78\x71\0\x7e\0\0\x70\x70";
        assert!(Object::read(ring, 0).is_err());
        // Two that name each other: the second's parent is the first, whose own parent is the second.
        let ring = b"\xac\xed\0\x05\x73\x72\0\x01a\0\0\0\0\0\0\0\0\x02\0\0\x78\x72\0\x01b\0\0\0\0\0\0\0\0\x02\0\0\x78\x71\0\x7e\0\0\x70\x70";
        assert!(Object::read(ring, 0).is_err());
    }
}
