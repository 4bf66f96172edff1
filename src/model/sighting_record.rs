//! How a sighting is written, and read back.

use super::certificate::Certificate;
use super::image::Image;
use super::key_id::KeyId;
use super::kind::{Class, Encoding, Kind, Protection};
use super::location::{FileFacts, Location};
use super::moment;
use super::packed_fingerprints::PackedFingerprints;
use super::pgp::Pgp;
use super::shared_text::SharedText;
use super::sighting::{Rare, Sighting};
use super::ssh::Ssh;
use super::unlock::Opened;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::sync::Arc;

/// The members of the record, in their order.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    host: Option<SharedText>,
    key_id: Option<KeyId>,
    #[serde(default)]
    probable_key: Option<Box<KeyId>>,
    kind: Kind,
    format: SharedText,
    encoding: Encoding,
    #[serde(default)]
    algorithm: Option<SharedText>,
    #[serde(default)]
    bits: Option<u32>,
    #[serde(default)]
    curve: Option<SharedText>,
    #[serde(default)]
    protection: Option<Protection>,
    #[serde(default)]
    cipher: Option<SharedText>,
    #[serde(default)]
    opened: Option<Opened>,
    #[serde(default, with = "moment")]
    created: Option<jiff::Timestamp>,
    #[serde(default)]
    factorable: Option<SharedText>,
    class: Class,
    fingerprints: PackedFingerprints,
    location: Location,
    #[serde(default)]
    file: Option<FileFacts>,
    #[serde(default)]
    images: Option<Arc<[Image]>>,
    #[serde(default)]
    certificate: Option<Box<Certificate>>,
    #[serde(default)]
    ssh: Option<Box<Ssh>>,
    #[serde(default)]
    pgp: Option<Box<Pgp>>,
    #[serde(default)]
    notes: Vec<SharedText>,
}

impl From<Record> for Sighting {
    fn from(record: Record) -> Self {
        let rare = Rare {
            cipher: record.cipher,
            opened: record.opened,
            created: record.created,
            factorable: record.factorable,
            modulus: None,
            images: record.images,
            notes: record.notes,
        };
        Self {
            host: record.host,
            key_id: record.key_id,
            probable_key: record.probable_key,
            kind: record.kind,
            format: record.format,
            encoding: record.encoding,
            algorithm: record.algorithm,
            bits: record.bits,
            curve: record.curve,
            protection: record.protection,
            class: record.class,
            fingerprints: record.fingerprints,
            location: record.location,
            file: record.file.map(shared_file),
            certificate: record.certificate,
            ssh: record.ssh,
            pgp: record.pgp,
            rare: rare.boxed(),
        }
    }
}

/// What is said of a file, in the memory of the same just read: what one file holds stands side by side.
fn shared_file(file: FileFacts) -> Arc<FileFacts> {
    thread_local! {
        static LATEST: RefCell<[Option<Arc<FileFacts>>; 2]> = RefCell::default();
    }
    LATEST.with_borrow_mut(|latest| {
        if let Some(known) = latest.iter().flatten().find(|known| ***known == file) {
            return Arc::clone(known);
        }
        let file = Arc::new(file);
        latest.rotate_right(1);
        if let Some(first) = latest.first_mut() {
            *first = Some(Arc::clone(&file));
        }
        file
    })
}

/// A time, written as records have it.
#[derive(Serialize)]
struct Moment(#[serde(with = "moment")] Option<jiff::Timestamp>);

impl<'de> Deserialize<'de> for Sighting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Record::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Sighting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // At most; what is absent is left out.
        let mut out = serializer.serialize_struct("Sighting", 23)?;
        macro_rules! optional {
            ($name:literal, $value:expr) => {
                match $value {
                    Some(value) => out.serialize_field($name, value)?,
                    None => out.skip_field($name)?,
                }
            };
        }
        let rare = self.rare.as_deref();
        optional!("host", &self.host);
        out.serialize_field("key_id", &self.key_id)?;
        optional!("probable_key", &self.probable_key);
        out.serialize_field("kind", &self.kind)?;
        out.serialize_field("format", &self.format)?;
        out.serialize_field("encoding", &self.encoding)?;
        optional!("algorithm", &self.algorithm);
        optional!("bits", &self.bits);
        optional!("curve", &self.curve);
        optional!("protection", &self.protection);
        if let Some(rare) = rare {
            optional!("cipher", &rare.cipher);
            optional!("opened", &rare.opened);
            if rare.created.is_some() {
                out.serialize_field("created", &Moment(rare.created))?;
            }
            optional!("factorable", &rare.factorable);
        }
        out.serialize_field("class", &self.class)?;
        out.serialize_field("fingerprints", &self.fingerprints)?;
        out.serialize_field("location", &self.location)?;
        optional!("file", &self.file);
        optional!("images", rare.and_then(|rare| rare.images.as_ref()));
        optional!("certificate", &self.certificate);
        optional!("ssh", &self.ssh);
        optional!("pgp", &self.pgp);
        let notes = self.notes();
        optional!("notes", (!notes.is_empty()).then_some(notes));
        out.end()
    }
}
