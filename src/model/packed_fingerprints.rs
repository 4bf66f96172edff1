//! The fingerprints of a sighting in the memory that they need: there are millions of sightings, and few have every form.

use super::fingerprint::Fingerprints;
use super::hex::{Hex, Md5Hex, Sha1Hex, Sha256Hex};
use super::prints::{JwkThumbprint, SshMd5, SshSha256};
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// [`Fingerprints`] of which only those that exist take memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PackedFingerprints {
    /// A bit for each form that exists.
    present: u16,
    /// The digests one behind the other, then the texts, each behind its length.
    bytes: Box<[u8]>,
}

/// What has the same number of bytes whatever it is.
trait Digest: Sized {
    fn of(bytes: &[u8]) -> Option<Self>;
    fn bytes(&self) -> &[u8];
}

macro_rules! digest_types {
    ($($type:ty $(, $n:ident)?;)*) => {$(
        impl $(<const $n: usize>)? Digest for $type {
            fn of(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            fn bytes(&self) -> &[u8] {
                &self.0
            }
        }
    )*};
}

digest_types! {
    Hex<N>, N;
    SshSha256;
    SshMd5;
    JwkThumbprint;
}

/// How many bytes a length takes.
const LENGTH: usize = size_of::<u32>();

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    // A line is far shorter than what this can count.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The names in the order in which they are written, with the numbers of their bits.
const WRITTEN: [(&str, u32); 12] = [
    ("spki_sha256", 0),
    ("cert_sha256", 1),
    ("cert_sha1", 2),
    ("cert_md5", 3),
    ("ssh_sha256", 4),
    ("ssh_md5", 5),
    ("ski", 8),
    ("jwk_thumbprint", 6),
    ("pgp_fingerprint", 9),
    ("pgp_keyid", 10),
    ("keygrip", 7),
    ("pkcs11_id", 11),
];

#[allow(clippy::indexing_slicing)] // Worked out when it is compiled.
const NAMES: [&str; WRITTEN.len()] = {
    let mut names = [""; WRITTEN.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = WRITTEN[at].0;
        at += 1;
    }
    names
};

/// The first bit of a text.
const TEXTS: usize = 8;

/// Where a digest starts behind those of a set.
#[allow(clippy::indexing_slicing)] // Worked out when it is compiled.
const fn start(set: usize) -> usize {
    STARTS[set] as usize
}

/// What a reader puts together.
struct Packing {
    present: u16,
    /// Those of which something was said, if only that they are absent.
    seen: u16,
    /// How many bytes those present take.
    length: usize,
    /// Each digest in the place that it has where all are present.
    digests: [u8; start(0xff)],
    texts: [Box<str>; 4],
}

impl Packing {
    fn new() -> Self {
        Self {
            present: 0,
            seen: 0,
            length: 0,
            digests: [0; start(0xff)],
            texts: Default::default(),
        }
    }
}

/// The name of a form, read as the number of its bit; none for other names.
struct Form;

impl<'de> DeserializeSeed<'de> for Form {
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Form {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a fingerprint")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        let place = usize::try_from(number).ok();
        Ok(place
            .and_then(|place| WRITTEN.get(place))
            .map(|form| form.1))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let form = WRITTEN.iter().find(|form| form.0 == name);
        Ok(form.map(|form| form.1))
    }
}

/// The forms by the number of their bit: digests with type and size first, then texts.
macro_rules! forms {
    (
        digests: $($digest:ident: $type:ty = $digest_bit:literal, $size:literal bytes;)*;
        texts: $($text:ident = $text_bit:literal;)*
    ) => {
        /// Where the digest behind these ones starts, for each set of them.
        #[allow(clippy::indexing_slicing)] // Worked out when it is compiled.
        const STARTS: [u8; 256] = {
            let mut starts = [0; 256];
            let mut set = 0;
            while set < 256 {
                $(starts[set] += if set >> $digest_bit & 1 == 1 { $size } else { 0 };)*
                set += 1;
            }
            starts
        };

        impl PackedFingerprints {
            $(
                #[doc = concat!("[`Fingerprints::", stringify!($digest), "`].")]
                pub fn $digest(&self) -> Option<$type> {
                    self.digest($digest_bit, $size)
                }
            )*

            $(
                #[doc = concat!("[`Fingerprints::", stringify!($text), "`].")]
                pub fn $text(&self) -> Option<&str> {
                    self.text($text_bit)
                }
            )*

            /// All of them, each in its place.
            pub fn unpacked(&self) -> Fingerprints {
                Fingerprints {
                    $($digest: self.$digest(),)*
                    $($text: self.$text().map(Box::from),)*
                }
            }
        }

        impl From<&Fingerprints> for PackedFingerprints {
            fn from(all: &Fingerprints) -> Self {
                let mut present = 0;
                let mut length = 0;
                $(if all.$digest.is_some() {
                    present |= 1 << $digest_bit;
                    length += $size;
                })*
                $(if let Some(text) = &all.$text {
                    present |= 1 << $text_bit;
                    length += LENGTH + text.len();
                })*
                if present == 0 {
                    return Self::default();
                }
                let mut bytes = Vec::with_capacity(length);
                $(if let Some(digest) = &all.$digest {
                    bytes.extend_from_slice(digest.bytes());
                })*
                $(if let Some(text) = &all.$text {
                    push_text(&mut bytes, text);
                })*
                Self {
                    present,
                    bytes: bytes.into(),
                }
            }
        }

        impl<'de> Visitor<'de> for Packing {
            type Value = PackedFingerprints;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fingerprints")
            }

            fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Self::Value, M::Error> {
                while let Some(form) = map.next_key_seed(Form)? {
                    let Some(bit) = form else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if self.seen >> bit & 1 == 1 {
                        return Err(de::Error::custom("a fingerprint twice"));
                    }
                    self.seen |= 1 << bit;
                    match bit {
                        $($digest_bit => if let Some(digest) = map.next_value::<Option<$type>>()? {
                            const START: usize = start((1 << $digest_bit) - 1);
                            if let Some(room) = self.digests.get_mut(START..START + $size) {
                                room.copy_from_slice(digest.bytes());
                            }
                            self.present |= 1 << $digest_bit;
                            self.length += $size;
                        },)*
                        $($text_bit => if let Some(text) = map.next_value::<Option<Box<str>>>()? {
                            self.present |= 1 << $text_bit;
                            self.length += LENGTH + text.len();
                            if let Some(room) = self.texts.get_mut($text_bit - TEXTS) {
                                *room = text;
                            }
                        },)*
                        _ => {}
                    }
                }
                let mut bytes = Vec::with_capacity(self.length);
                $(if self.present >> $digest_bit & 1 == 1 {
                    const START: usize = start((1 << $digest_bit) - 1);
                    let digest = self.digests.get(START..START + $size);
                    bytes.extend_from_slice(digest.unwrap_or_default());
                })*
                for (text, bit) in self.texts.iter().zip(TEXTS..) {
                    if self.present >> bit & 1 == 1 {
                        push_text(&mut bytes, text);
                    }
                }
                Ok(PackedFingerprints {
                    present: self.present,
                    bytes: bytes.into(),
                })
            }
        }
    };
}

forms! {
    digests:
    spki_sha256: Sha256Hex = 0, 32 bytes;
    cert_sha256: Sha256Hex = 1, 32 bytes;
    cert_sha1: Sha1Hex = 2, 20 bytes;
    cert_md5: Md5Hex = 3, 16 bytes;
    ssh_sha256: SshSha256 = 4, 32 bytes;
    ssh_md5: SshMd5 = 5, 16 bytes;
    jwk_thumbprint: JwkThumbprint = 6, 32 bytes;
    keygrip: Hex<20> = 7, 20 bytes;
    ;
    texts:
    ski = 8;
    pgp_fingerprint = 9;
    pgp_keyid = 10;
    pkcs11_id = 11;
}

impl PackedFingerprints {
    /// Changes some of them.
    pub fn change(&mut self, change: impl FnOnce(&mut Fingerprints)) {
        let mut all = self.unpacked();
        change(&mut all);
        *self = Self::from(&all);
    }

    /// A number made of a byte of each cache line in which they are: to ask for it is to bring them into the processor's caches.
    pub fn lines(&self) -> usize {
        let lines = self.bytes.chunks(64).filter_map(|line| line.first());
        lines.map(|&byte| usize::from(byte)).sum()
    }

    const fn has(&self, bit: u32) -> bool {
        self.present >> bit & 1 == 1
    }

    fn digest<T: Digest>(&self, bit: u32, size: usize) -> Option<T> {
        if !self.has(bit) {
            return None;
        }
        let before = self.present & 0xff & ((1 << bit) - 1);
        let start = usize::from(*STARTS.get(usize::from(before))?);
        T::of(self.bytes.get(start..start + size)?)
    }

    fn text(&self, bit: u32) -> Option<&str> {
        if !self.has(bit) {
            return None;
        }
        let start = STARTS.get(usize::from(self.present & 0xff))?;
        let mut rest = self.bytes.get(usize::from(*start)..)?;
        let mut before = self.present >> 8 & ((1 << (bit - 8)) - 1);
        loop {
            let (length, text) = rest.split_first_chunk::<LENGTH>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            if before == 0 {
                return std::str::from_utf8(text.get(..length)?).ok();
            }
            rest = text.get(length..)?;
            // One that is there was passed over.
            before &= before - 1;
        }
    }
}

impl From<Fingerprints> for PackedFingerprints {
    fn from(all: Fingerprints) -> Self {
        Self::from(&all)
    }
}

impl fmt::Debug for PackedFingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unpacked().fmt(f)
    }
}

impl Serialize for PackedFingerprints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = usize::try_from(self.present.count_ones()).unwrap_or(0);
        let mut out = serializer.serialize_struct("Fingerprints", count)?;
        macro_rules! members {
            ($($name:ident)*) => {$(
                match self.$name() {
                    Some(print) => out.serialize_field(stringify!($name), &print)?,
                    None => out.skip_field(stringify!($name))?,
                }
            )*};
        }
        members!(spki_sha256 cert_sha256 cert_sha1 cert_md5 ssh_sha256 ssh_md5 ski jwk_thumbprint);
        members!(pgp_fingerprint pgp_keyid keygrip pkcs11_id);
        out.end()
    }
}

impl<'de> Deserialize<'de> for PackedFingerprints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Fingerprints", &NAMES, Packing::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fingerprints() -> impl Strategy<Value = Fingerprints> {
        let text = || proptest::option::of(".{0,300}".prop_map(Box::from));
        let digests = any::<(
            [Option<[u8; 32]>; 4],
            [Option<[u8; 20]>; 2],
            [Option<[u8; 16]>; 2],
        )>();
        let texts = (text(), text(), text(), text());
        (digests, texts).prop_map(|((long, middle, short), texts)| Fingerprints {
            spki_sha256: long[0].map(Hex),
            cert_sha256: long[1].map(Hex),
            cert_sha1: middle[0].map(Hex),
            cert_md5: short[0].map(Hex),
            ssh_sha256: long[2].map(SshSha256),
            ssh_md5: short[1].map(SshMd5),
            ski: texts.0,
            jwk_thumbprint: long[3].map(JwkThumbprint),
            pgp_fingerprint: texts.1,
            pgp_keyid: texts.2,
            keygrip: middle[1].map(Hex),
            pkcs11_id: texts.3,
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_what_was_there(all in fingerprints()) {
            let packed = PackedFingerprints::from(&all);
            prop_assert_eq!(packed.unpacked(), all.clone());
            let json = serde_json::to_string(&all).unwrap();
            prop_assert_eq!(serde_json::to_string(&packed).unwrap(), json.clone());
            prop_assert_eq!(serde_json::from_str::<PackedFingerprints>(&json).unwrap(), packed);
        }
    }

    #[test]
    fn members_may_come_in_any_order_and_once() {
        let read = |text: &str| serde_json::from_str::<PackedFingerprints>(text);
        let md5 = "a1".repeat(16);
        let text = format!(
            r#"{{"pkcs11_id":"01","other":[1],"keygrip":null,"cert_md5":"{md5}","ski":"b2"}}"#
        );
        let all: Fingerprints = serde_json::from_str(&text).unwrap();
        assert_eq!(read(&text).unwrap(), PackedFingerprints::from(&all));
        assert_eq!(read("{}").unwrap(), PackedFingerprints::default());
        assert!(read(r#"{"ski":null,"ski":"b2"}"#).is_err());
        assert!(read(r#"{"ski":1}"#).is_err());
        assert!(read("[]").is_err());
    }
}
