//! Where an artifact was seen.

use super::hex::Parsed;
use super::moment;
use super::shared_text::SharedText;
use super::text::serialize_plain;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::Arc;

/// A place on one host, down to the byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// Absolute path on its host; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: SharedText,
    /// The exact path as base64, when `path` could not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<Box<str>>,
    /// The chain of members inside the file, outermost first.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub inside: Arc<[Member]>,
    /// The alias of a keystore entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<SharedText>,
    /// 1-based line, for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// 0-based offset of the first dash of a PEM header or the first byte of an object, in the innermost bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Symbolic links inside the roots that point at the file.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub links: Arc<[SharedText]>,
    /// Further paths of the same file: hard links and bind mounts.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub hard_links: Arc<[SharedText]>,
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

/// One step of a chain of members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// What holds it: `tar`, `zip`, `gzip`, `base64`, `field`, …
    #[serde(rename = "type")]
    pub container: SharedText,
    /// Its name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The exact name as base64, when `name` could not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_bytes: Option<String>,
    /// Where it starts in what holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// What `fstat` and the host's own account files say of the file that holds an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Size in bytes.
    pub size: u64,
    /// Permission bits as four octal digits.
    pub mode: Mode,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// The owner's name by the host's own `/etc/passwd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<SharedText>,
    /// The group's name by the host's own `/etc/group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<SharedText>,
    /// Time of last modification, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub modified: Option<jiff::Timestamp>,
    /// The account in whose home directory the file lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_of: Option<SharedText>,
    /// The package that the file belongs to, as `manager:name@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<SharedText>,
    /// Who, beside the owner and root, can reach and read the file or replace it; absent when that is not known.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "shared_access"
    )]
    pub access: Option<Arc<Access>>,
}

/// Permission bits, with those for set-user-ID, set-group-ID and sticky: four octal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u16);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl FromStr for Mode {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u16::from_str_radix(text, 8).map(Self)
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Four digits, or more where the bits are not those of permissions.
        if self.0 > 0o7777 {
            return serializer.collect_str(self);
        }
        let digit = |shift: u32| b"01234567".get(usize::from(self.0 >> shift & 7)).copied();
        let digits = [digit(9), digit(6), digit(3), digit(0)].map(Option::unwrap_or_default);
        serialize_plain(&digits, serializer)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new())
    }
}

/// Who, beside the owner and the superuser, has access to a file through all its parent directories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Can reach and read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<Grantee>,
    /// Can write it, or put another in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<Grantee>,
}

/// Reads who has access, in the memory of the same list just read: most files of a host have the same.
fn shared_access<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Arc<Access>>, D::Error> {
    thread_local! {
        static LATEST: RefCell<[Arc<Access>; 4]> = RefCell::default();
    }
    let Some(access) = Option::<Access>::deserialize(d)? else {
        return Ok(None);
    };
    LATEST.with_borrow_mut(|latest| {
        if let Some(known) = latest.iter().find(|known| ***known == access) {
            return Ok(Some(Arc::clone(known)));
        }
        latest.rotate_right(1);
        let access = Arc::new(access);
        if let Some(first) = latest.first_mut() {
            *first = Arc::clone(&access);
        }
        Ok(Some(access))
    })
}

/// One party that has access.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Grantee {
    /// Everybody with an account on the host.
    Others,
    /// The members of a group.
    Group {
        /// Its name, or its number where it has none.
        name: String,
        /// The members (primary or supplementary) that can log in, without the file's owner and root.
        logins: Vec<String>,
    },
    /// One account, named by an access control list or as the owner of a parent directory.
    User {
        /// Its name, or its number where it has none.
        name: String,
        /// Whether it can log in.
        login: bool,
    },
}

impl Member {
    /// A member of a container by its exact name, which may be empty: then it has none.
    pub fn named(container: &str, name: &[u8]) -> Self {
        let (text, name_bytes) = name_parts(name);
        Self {
            container: container.into(),
            name: Some(text).filter(|text| !text.is_empty()),
            name_bytes,
            offset: None,
        }
    }

    /// The same, that starts at this place of what holds it.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// The exact bytes of its name; empty if it has none.
    pub fn exact_name(&self) -> Vec<u8> {
        exact(
            self.name.as_deref().unwrap_or_default(),
            self.name_bytes.as_deref(),
        )
    }
}

impl Location {
    /// The exact bytes of the path.
    pub fn exact_path(&self) -> Vec<u8> {
        self.exact_path_bytes().into_owned()
    }

    /// The same, borrowed where the text holds them.
    pub fn exact_path_bytes(&self) -> Cow<'_, [u8]> {
        match &self.path_bytes {
            None => Cow::Borrowed(self.path.as_bytes()),
            Some(base64) => Cow::Owned(exact(&self.path, Some(base64))),
        }
    }
}

/// The exact bytes behind what a record shows of a name.
pub fn exact(text: &str, base64: Option<&str>) -> Vec<u8> {
    use base64::Engine as _;
    base64
        .and_then(|b| base64::engine::general_purpose::STANDARD.decode(b).ok())
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

/// Splits exact name bytes into what a record shows: text, and base64 where the text could not hold them.
pub fn name_parts(bytes: &[u8]) -> (String, Option<String>) {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (
            String::from_utf8_lossy(bytes).into_owned(),
            Some(base64::engine::general_purpose::STANDARD.encode(bytes)),
        ),
    }
}
