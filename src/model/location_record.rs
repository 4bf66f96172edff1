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
    inside: Arc<[Member]>,
    #[serde(default)]
    alias: Option<SharedText>,
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    links: Arc<[SharedText]>,
    #[serde(default)]
    hard_links: Arc<[SharedText]>,
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = Record::deserialize(deserializer)?;
        let rare = RareLocation {
            path_bytes: record.path_bytes,
            inside: record.inside,
            alias: record.alias,
            links: record.links,
            hard_links: record.hard_links,
        };
        Ok(Self {
            path: record.path,
            line: record.line.into(),
            offset: record.offset.into(),
            rare: rare.boxed(),
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
