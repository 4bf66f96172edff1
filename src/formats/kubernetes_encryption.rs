//! Keys of Kubernetes' EncryptionConfiguration ("Encrypting Confidential Data at Rest": apiserver.config.k8s.io/v1), in YAML
//! or JSON. Read name by name and not as a document, so that a broken or dressed one still tells its keys.

use super::wire::base64_text;
use super::wire::named_values::{NamedValue, named_values};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading, Secret,
};

/// The reader of one configuration.
pub struct KubernetesEncryption;

/// `EncryptionConfig` of Kubernetes before 1.13, `EncryptionConfiguration` since.
const LITERAL: &[u8] = b"EncryptionConfig";

/// How far the configuration reaches before and behind its kind, in bytes.
const BEFORE_MAX: usize = 8 << 10;
const BEHIND_MAX: usize = 256 << 10;
/// The most keys of one configuration.
const KEYS_MAX: usize = 10_000;

impl Format for KubernetesEncryption {
    fn name(&self) -> &'static str {
        "kubernetes_encryption"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::anywhere(LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let (bytes, at) = (candidate.bytes, candidate.at);
        let text = bytes.get(at..).unwrap_or_default();
        let Some(tail) = text.strip_prefix(LITERAL) else {
            return Reading::NotMine;
        };
        let tail = tail.strip_prefix(b"uration").unwrap_or(tail);
        if tail
            .first()
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
            return Reading::NotMine;
        }
        let first = at.saturating_sub(BEFORE_MAX);
        let before = bytes.get(first..at).unwrap_or_default();
        if !is_kind(before) {
            return Reading::NotMine;
        }
        // The document begins behind the separator before it, and ends before the one behind it.
        let separator = memchr::memmem::rfind(before, b"\n---");
        let start = first + separator.map_or(0, |i| i + 4);
        let near = tail.get(..BEHIND_MAX).unwrap_or(tail);
        let next = memchr::memmem::find(near, b"\n---");
        if next.is_none() && near.len() < BEHIND_MAX && !candidate.at_end {
            return Reading::NeedMore { from: at };
        }
        let end = bytes.len() - tail.len() + next.unwrap_or(near.len());
        let document = bytes.get(start..end).unwrap_or_default();
        let mut found = Found {
            end,
            ..Found::default()
        };
        self.keys(document, start, &mut found);
        if found.artifacts.is_empty() && found.faults.is_empty() {
            return Reading::NotMine;
        }
        Reading::Found(found)
    }
}

impl KubernetesEncryption {
    fn keys(&self, document: &[u8], start: usize, found: &mut Found) {
        let mut provider = None;
        let mut item = Item::default();
        for pair in named_values(document) {
            if pair.opens_item {
                self.tell(provider, &mut item, start, found);
            }
            if let Some(known) = Provider::named(pair.name) {
                self.tell(provider, &mut item, start, found);
                provider = Some(known);
            }
            match pair.name {
                b"name" => item.name = pair.value,
                b"secret" => item.secret = Some(pair),
                b"identity" | b"kms" => {
                    self.tell(provider, &mut item, start, found);
                    provider = None;
                }
                _ => {}
            }
            if found.artifacts.len() >= KEYS_MAX {
                break;
            }
        }
        self.tell(provider, &mut item, start, found);
    }

    fn tell(
        &self,
        provider: Option<Provider>,
        item: &mut Item<'_>,
        start: usize,
        found: &mut Found,
    ) {
        let Item { name, secret } = std::mem::take(item);
        let (Some(provider), Some(secret)) = (provider, secret) else {
            return;
        };
        let text = secret.value.unwrap_or_default();
        // What is no base64 is a placeholder of a document.
        if text.len() < 12 || !text.iter().all(|b| base64_text::is_digit(*b)) {
            return;
        }
        let key = base64_text::decode(text).filter(|key| provider.allows(key.len()));
        let Some(key) = key else {
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: start + secret.at,
                detail: format!(
                    "Kubernetes EncryptionConfiguration: a secret that is no key of {}",
                    provider.word()
                ),
            });
            return;
        };
        let material = KeyMaterial::Symmetric(Secret::copy_of(&key));
        let mut artifact = Artifact::new(Kind::SymmetricKey, self.name(), Encoding::Text, material);
        artifact.algorithm = Some(match provider {
            Provider::Secretbox => "XSalsa20-Poly1305".into(),
            Provider::AesCbc | Provider::AesGcm => "AES".into(),
        });
        artifact.bits = u32::try_from(key.len() * 8).ok();
        artifact.protection = Some(Protection::None);
        artifact.alias = name
            .and_then(|name| std::str::from_utf8(name).ok())
            .map(str::to_owned);
        artifact
            .notes
            .push(format!("provider {}", provider.word()).into());
        artifact.offset = start + secret.at;
        found.artifacts.push(artifact);
    }
}

/// Whether `kind:` stands before it.
fn is_kind(before: &[u8]) -> bool {
    let sign = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'\\' | b':');
    let end = before.iter().rposition(|b| !sign(b)).map_or(0, |i| i + 1);
    let (word, signs) = before.split_at_checked(end).unwrap_or_default();
    signs.contains(&b':') && word.ends_with(b"kind")
}

/// One element of `keys`.
#[derive(Default)]
struct Item<'a> {
    name: Option<&'a [u8]>,
    secret: Option<NamedValue<'a>>,
}

#[derive(Clone, Copy)]
enum Provider {
    AesCbc,
    AesGcm,
    Secretbox,
}

impl Provider {
    const fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"aescbc" => Some(Self::AesCbc),
            b"aesgcm" => Some(Self::AesGcm),
            b"secretbox" => Some(Self::Secretbox),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::AesCbc => "aescbc",
            Self::AesGcm => "aesgcm",
            Self::Secretbox => "secretbox",
        }
    }

    const fn allows(self, length: usize) -> bool {
        match self {
            Self::Secretbox => length == 32,
            Self::AesCbc | Self::AesGcm => matches!(length, 16 | 24 | 32),
        }
    }
}
