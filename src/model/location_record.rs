//! How a place is written, and read back.

use super::location::{Location, Member, RareLocation};
use super::shared_text::SharedText;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// The members of the record, in their order.
#[derive(Deserialize)]
struct Record {
    path: SharedText,
    #[serde(default)]
    path_bytes: Option<Box<str>>,
    #[serde(default)]
    inside: Option<Arc<[Member]>>,
    #[serde(default)]
    alias: Option<SharedText>,
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    links: Option<Arc<[SharedText]>>,
    #[serde(default)]
    hard_links: Option<Arc<[SharedText]>>,
}

impl Record {
    /// Takes out what few have. Nothing of it is made where there is none: empty lists that are shared are counted by all threads.
    fn rare(&mut self) -> Option<Box<RareLocation>> {
        let is_anything = self.path_bytes.is_some()
            || self.inside.is_some()
            || self.alias.is_some()
            || self.links.is_some()
            || self.hard_links.is_some();
        if !is_anything {
            return None;
        }
        let rare = RareLocation {
            path_bytes: self.path_bytes.take(),
            inside: self.inside.take().unwrap_or_default(),
            alias: self.alias.take(),
            links: self.links.take().unwrap_or_default(),
            hard_links: self.hard_links.take().unwrap_or_default(),
        };
        rare.boxed()
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut record = Record::deserialize(deserializer)?;
        Ok(Self {
            rare: record.rare(),
            path: record.path,
            line: record.line.into(),
            offset: record.offset.into(),
        })
    }
}

impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // At most; what is absent is left out.
        let mut out = serializer.serialize_struct("Location", 8)?;
        macro_rules! optional {
            ($name:literal, $value:expr) => {
                match $value {
                    Some(value) => out.serialize_field($name, &value)?,
                    None => out.skip_field($name)?,
                }
            };
        }
        macro_rules! list {
            ($name:literal, $value:expr) => {
                match $value {
                    [] => out.skip_field($name)?,
                    list => out.serialize_field($name, list)?,
                }
            };
        }
        out.serialize_field("path", &self.path)?;
        optional!("path_bytes", self.path_bytes());
        list!("inside", self.inside());
        optional!("alias", self.alias());
        optional!("line", self.line.get());
        optional!("offset", self.offset.get());
        list!("links", self.links());
        list!("hard_links", self.hard_links());
        out.end()
    }
}
