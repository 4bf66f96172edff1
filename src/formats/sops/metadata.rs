//! What the metadata says: for whom the file is, and when it was written.

use crate::formats::wire::age;
use crate::formats::wire::named_values::named_values;
use crate::model::{Artifact, Encoding, KeyMaterial, Kind};
use std::borrow::Cow;

/// The most recipients that are told.
pub(super) const RECIPIENTS_MAX: usize = 1000;
/// The longest name of a key that is told, in bytes.
const NAME_MAX: usize = 1024;

/// The keys that open a file.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) version: Option<&'a [u8]>,
    last_modified: Option<&'a [u8]>,
    threshold: Option<&'a [u8]>,
    /// There are more than are told.
    pub(super) is_more: bool,
}

/// One of them.
pub(super) struct Item<'a> {
    provider: Provider,
    /// What tells it from the others, in the flat forms.
    id: &'a [u8],
    fields: Vec<Field<'a>>,
}

/// Name, value and the place of the value.
type Field<'a> = (&'a [u8], &'a [u8], usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Provider {
    Age,
    Pgp,
    Kms,
    GcpKms,
    AzureKv,
    HcVault,
    HcKms,
}

impl Provider {
    const ALL: [Self; 7] = [
        Self::Age,
        Self::Pgp,
        Self::Kms,
        Self::GcpKms,
        Self::AzureKv,
        Self::HcVault,
        Self::HcKms,
    ];

    const fn word(self) -> &'static [u8] {
        match self {
            Self::Age => b"age",
            Self::Pgp => b"pgp",
            Self::Kms => b"kms",
            Self::GcpKms => b"gcp_kms",
            Self::AzureKv => b"azure_kv",
            Self::HcVault => b"hc_vault",
            Self::HcKms => b"hckms",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Pgp => "OpenPGP",
            Self::Kms => "AWS KMS",
            Self::GcpKms => "GCP KMS",
            Self::AzureKv => "Azure Key Vault",
            Self::HcVault => "HashiCorp Vault",
            Self::HcKms => "Huawei Cloud KMS",
        }
    }

    /// The fields that name a key, in the order of its path, and what stands before each.
    const fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Age => &[("", "recipient")],
            Self::Pgp => &[("", "fp")],
            Self::Kms => &[("", "arn")],
            Self::GcpKms => &[("", "resource_id")],
            Self::AzureKv => &[("", "vault_url"), ("/keys/", "name"), ("/", "version")],
            Self::HcVault => &[
                ("", "vault_address"),
                ("/v1/", "engine_path"),
                ("/keys/", "key_name"),
            ],
            Self::HcKms => &[("", "key_id")],
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == name)
    }

    fn has(self, field: &[u8]) -> bool {
        self.fields()
            .iter()
            .any(|(_, name)| name.as_bytes() == field)
    }
}

impl<'a> Metadata<'a> {
    /// Reads lists of mappings, or the flat names of dotenv and INI.
    pub(super) fn read(is_flat: bool, text: &'a [u8]) -> Self {
        let mut metadata = Self::default();
        if is_flat {
            metadata.flat(text);
        } else {
            metadata.nested(text);
        }
        metadata
    }

    /// Lists of mappings.
    fn nested(&mut self, text: &'a [u8]) {
        let mut provider = None;
        let mut is_new = true;
        for pair in named_values(text) {
            is_new |= pair.opens_item;
            let Some(value) = pair.value.filter(|value| !value.is_empty()) else {
                // A list follows.
                if let Some(named) = Provider::named(pair.name) {
                    provider = Some(named);
                    is_new = true;
                }
                continue;
            };
            let at = offset_in(text, value);
            match provider {
                Some(known) if known.has(pair.name) => {
                    if std::mem::take(&mut is_new) {
                        self.begin(known, b"");
                    }
                    let item = self.items.last_mut().filter(|_| !self.is_more);
                    if let Some(item) = item {
                        item.fields.push((pair.name, value, at));
                    }
                }
                _ => {
                    // Behind the lists; those of a later one have its name before them.
                    if pair.name == b"lastmodified" {
                        provider = None;
                    }
                    self.own(pair.name, value);
                }
            }
        }
    }

    /// Lines of `age__list_0__map_recipient=…`.
    fn flat(&mut self, text: &'a [u8]) {
        for line in text.split(|b| matches!(b, b'\n' | b'\r')) {
            let Some(equals) = memchr::memchr(b'=', line) else {
                continue;
            };
            let (name, value) = line.split_at_checked(equals).unwrap_or_default();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            let name = name.trim_ascii();
            let name = name.strip_prefix(b"sops_").unwrap_or(name);
            let Some(split) = memchr::memmem::rfind(name, b"__map_") else {
                self.own(name, value);
                continue;
            };
            let (id, field) = name.split_at_checked(split).unwrap_or_default();
            let field = field.get(b"__map_".len()..).unwrap_or_default();
            let list = memchr::memmem::rfind(id, b"__list_").and_then(|end| id.get(..end));
            let word = list.map(|list| {
                let begin = memchr::memmem::rfind(list, b"__map_").map_or(0, |i| i + 6);
                list.get(begin..).unwrap_or_default()
            });
            let Some(provider) = word.and_then(Provider::named).filter(|p| p.has(field)) else {
                continue;
            };
            let at = offset_in(text, value);
            let known = self.items.iter().position(|item| item.id == id);
            if known.is_none() {
                self.begin(provider, id);
            }
            let item = match known {
                Some(place) => self.items.get_mut(place),
                None => self.items.last_mut(),
            };
            if let Some(item) = item.filter(|item| item.id == id) {
                item.fields.push((field, value, at));
            }
        }
    }

    fn begin(&mut self, provider: Provider, id: &'a [u8]) {
        if self.items.len() >= RECIPIENTS_MAX {
            self.is_more = true;
            return;
        }
        self.items.push(Item {
            provider,
            id,
            fields: Vec::new(),
        });
    }

    fn own(&mut self, name: &[u8], value: &'a [u8]) {
        let slot = match name {
            b"version" => &mut self.version,
            b"lastmodified" => &mut self.last_modified,
            b"shamir_threshold" => &mut self.threshold,
            _ => return,
        };
        slot.get_or_insert(value);
    }

    /// Whether it is metadata, and not something else that has a `mac`.
    pub(super) const fn is_one(&self) -> bool {
        self.last_modified.is_some() || self.version.is_some()
    }

    /// `2 age keys, 1 OpenPGP key`.
    pub(super) fn told(&self) -> String {
        let counts = Provider::ALL.into_iter().filter_map(|provider| {
            let of = self.items.iter().filter(|item| item.provider == provider);
            match of.count() {
                0 => None,
                1 => Some(format!("1 {} key", provider.title())),
                count => Some(format!("{count} {} keys", provider.title())),
            }
        });
        let counts: Vec<String> = counts.collect();
        if counts.is_empty() {
            "keys that it does not name".to_owned()
        } else {
            counts.join(", ")
        }
    }

    pub(super) fn notes(&self) -> Vec<Cow<'static, str>> {
        let mut notes: Vec<Cow<'static, str>> = Vec::new();
        let mut add = |before: &str, value: Option<&[u8]>| {
            notes.extend(value.map(|value| Cow::from(format!("{before} {}", lossy(value)))));
        };
        add("SOPS", self.version);
        add("last modified", self.last_modified);
        add("key groups needed:", self.threshold);
        for item in &self.items {
            let name = item.told();
            notes.push(format!("{} key {name}", item.provider.title()).into());
        }
        notes
    }
}

impl Item<'_> {
    fn field(&self, name: &str) -> Option<(&[u8], usize)> {
        let mut fields = self.fields.iter();
        let field = fields.find(|(known, ..)| *known == name.as_bytes())?;
        Some((field.1, field.2))
    }

    fn told(&self) -> String {
        let mut text = String::new();
        for (before, name) in self.provider.fields() {
            if let Some((value, _)) = self.field(name) {
                let value = lossy(value);
                text.push_str(before);
                // An address ends with a slash, or does not.
                text.push_str(value.trim_end_matches('/'));
            }
        }
        text
    }

    /// The key that it names, where that is one by itself.
    pub(super) fn key(&self, format: &'static str, start: usize) -> Option<Artifact> {
        let mut artifact = match self.provider {
            Provider::Age => {
                let (text, at) = self.field("recipient")?;
                let mut artifact = age::recipient(text, format)?;
                artifact.offset = start + at;
                artifact
            }
            Provider::Pgp => {
                let (text, at) = self.field("fp")?;
                let print = String::from_utf8(text.to_ascii_uppercase()).ok()?;
                let is_print =
                    matches!(print.len(), 40 | 64) && print.bytes().all(|b| b.is_ascii_hexdigit());
                if !is_print {
                    return None;
                }
                // What sort of key that is, and so its identity, the key itself tells.
                let mut artifact = Artifact::new(
                    Kind::PublicKey,
                    format,
                    Encoding::Text,
                    KeyMaterial::Unknown,
                );
                artifact.pgp_fingerprint = Some(print);
                artifact.offset = start + at;
                artifact
            }
            _ => return None,
        };
        artifact.notes.push("a recipient of this file".into());
        Some(artifact)
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..NAME_MAX).unwrap_or(bytes)).into_owned()
}

/// Where `inner`, a part of `outer`, starts in it.
fn offset_in(outer: &[u8], inner: &[u8]) -> usize {
    let distance = inner.as_ptr().addr().wrapping_sub(outer.as_ptr().addr());
    distance.min(outer.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of SOPS' documentation in the form of its stores; the services themselves are not at hand.
    #[test]
    fn keys_of_services_are_told_by_their_names() {
        let yaml = b"sops:\n    kms:\n    -   arn: arn:aws:kms:us-west-2:111122223333:key/a\n        created_at: '2026'\n        enc: CiC\n    \
            gcp_kms:\n    -   resource_id: projects/p/locations/global/keyRings/r/cryptoKeys/k\n    azure_kv:\n    -   vault_url: https://v.example/\n        \
            name: n\n        version: abc\n    hc_vault:\n    -   vault_address: http://127.0.0.1:8200\n        engine_path: sops\n        key_name: first\n    \
            age: []\n    lastmodified: '2026-11-25T00:00:00Z'\n    mac: ENC[]\n    version: 3.11.0\n";
        let json = br#"{"kms": [{"arn": "arn:aws:kms:us-west-2:111122223333:key/a", "enc": "CiC"}],
            "gcp_kms": [{"resource_id": "projects/p/locations/global/keyRings/r/cryptoKeys/k"}],
            "azure_kv": [{"vault_url": "https://v.example/", "name": "n", "version": "abc"}],
            "hc_vault": [{"vault_address": "http://127.0.0.1:8200", "engine_path": "sops", "key_name": "first"}],
            "age": null, "lastmodified": "2026-11-25T00:00:00Z", "mac": "ENC[]", "version": "3.11.0"}"#;
        let flat = b"sops_kms__list_0__map_arn=arn:aws:kms:us-west-2:111122223333:key/a\nsops_kms__list_0__map_enc=CiC\n\
            sops_gcp_kms__list_0__map_resource_id=projects/p/locations/global/keyRings/r/cryptoKeys/k\n\
            sops_azure_kv__list_0__map_version=abc\nsops_azure_kv__list_0__map_name=n\nsops_azure_kv__list_0__map_vault_url=https://v.example/\n\
            sops_hc_vault__list_0__map_key_name=first\nsops_hc_vault__list_0__map_engine_path=sops\n\
            sops_hc_vault__list_0__map_vault_address=http://127.0.0.1:8200\nsops_lastmodified=2026-11-25T00:00:00Z\nsops_version=3.11.0\n";
        let expected = [
            "SOPS 3.11.0",
            "last modified 2026-11-25T00:00:00Z",
            "AWS KMS key arn:aws:kms:us-west-2:111122223333:key/a",
            "GCP KMS key projects/p/locations/global/keyRings/r/cryptoKeys/k",
            "Azure Key Vault key https://v.example/keys/n/abc",
            "HashiCorp Vault key http://127.0.0.1:8200/v1/sops/keys/first",
        ];
        for (is_flat, text) in [(false, &yaml[..]), (false, json), (true, flat)] {
            let metadata = Metadata::read(is_flat, text);
            assert_eq!(metadata.notes(), expected);
            assert!(
                metadata
                    .items
                    .iter()
                    .all(|item| item.key("sops", 0).is_none())
            );
        }
    }
}
