//! The JSON documents of images: index, manifest and configuration (OCI image specification 1.1; Docker's image manifest
//! version 2, schema 2), the `manifest.json` of `docker save` (Docker image specification 1.2, "Combined Image JSON"), and the lists
//! of containers/storage, which is podman's, buildah's and CRI-O's (containers-storage.conf(5); its `layers.go` and `images.go`).

use super::few::Few;
use memchr::memmem;
use serde::Deserialize;

/// More layers of one manifest are not kept; Docker permits 127.
const LAYERS_MAX: usize = 1000;
/// More manifests of one index are not kept.
const INDEX_MAX: usize = 10_000;
/// A longer name is no reference (a digest may stand behind the 255 characters of a name and a tag's 128).
const NAME_MAX: usize = 512;

/// What a document says; digests are valid as [`is_digest`] tells.
#[derive(Debug)]
pub enum Document {
    /// An index lists manifests, and further indexes.
    Index(Vec<Entry>),
    /// A manifest lists the layers of an image.
    Manifest(Manifest),
    /// The configuration of an image.
    Config(Config),
    /// What `docker save` wrote.
    Saved(Vec<Saved>),
    /// What a tag of a registry points at.
    Tag(String),
    /// The layers of a store of containers/storage.
    StoredLayers(Vec<StoredLayer>),
    /// Its images.
    StoredImages(Vec<StoredImage>),
}

/// What an index lists.
#[derive(Debug)]
pub struct Entry {
    /// The digest of a manifest or index.
    pub digest: String,
    /// The reference under which it is listed.
    pub name: Option<String>,
}

/// The layers of an image, the lowest first.
#[derive(Debug)]
pub struct Manifest {
    /// The digest of its configuration.
    pub config: Option<String>,
    /// Its layers.
    pub layers: Vec<Layer>,
}

/// A layer, as a manifest lists it.
#[derive(Debug)]
pub struct Layer {
    /// The digest of the blob.
    pub digest: String,
    /// Whether its media type says that it is encrypted.
    pub encrypted: bool,
    /// Whether it need not be stored beside the others: it may not be distributed, or is to be had elsewhere.
    pub elsewhere: bool,
}

/// What the configuration of an image says, as far as it matters here; its environment is not kept.
#[derive(Debug)]
pub struct Config {
    /// The digests of the uncompressed layers.
    pub diff_ids: Vec<String>,
    /// Operating system and architecture.
    pub platform: Option<String>,
}

/// An image of `docker save`; the paths are relative to the document.
#[derive(Debug)]
pub struct Saved {
    /// The path of its configuration.
    pub config: String,
    /// Its references.
    pub names: Vec<String>,
    /// The paths of its layers, the lowest first.
    pub layers: Vec<String>,
}

/// A layer of containers/storage, which is a directory of its name.
#[derive(Debug)]
pub struct StoredLayer {
    /// Its name: hexadecimal digits.
    pub id: String,
    /// The name of the layer beneath.
    pub parent: Option<String>,
    /// The digest of what it was made from, uncompressed.
    pub digest: Option<String>,
}

/// An image of containers/storage.
#[derive(Debug)]
pub struct StoredImage {
    /// The digest of its configuration, if its name is that.
    pub id: Option<String>,
    /// The digest of its manifest.
    pub digest: Option<String>,
    /// Its references.
    pub names: Vec<String>,
    /// The name of its uppermost layer.
    pub layer: String,
}

impl Document {
    /// Reads a document; none if it is something else. With it comes whether it lists more layers, images or names than are kept.
    pub fn parse(bytes: &[u8]) -> Option<(Self, bool)> {
        let bytes = bytes.trim_ascii();
        match bytes.first()? {
            b'[' if has(bytes, b"\"Layers\"") => saved(bytes),
            b'[' if has(bytes, b"\"diff-digest\"") => stored_layers(bytes),
            b'[' if has(bytes, b"\"layer\"") => stored_images(bytes),
            b'{' if has(bytes, b"\"digest\"") || has(bytes, b"\"diff_ids\"") => object(bytes),
            b's' => {
                let digest = std::str::from_utf8(bytes).ok()?;
                is_digest(digest).then(|| (Self::Tag(digest.to_owned()), false))
            }
            _ => None,
        }
    }
}

/// Whether it is a digest that may name a blob: an algorithm of the specification and as many lower-case hexadecimal digits as it
/// gives, so nothing that leads elsewhere in a path.
pub fn is_digest(text: &str) -> bool {
    split_digest(text).is_some()
}

/// Algorithm and hexadecimal digits of a digest.
pub fn split_digest(text: &str) -> Option<(&str, &str)> {
    let (algorithm, hex) = text.split_once(':')?;
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return None,
    };
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (hex.len() == length && hex.bytes().all(is_hex)).then_some((algorithm, hex))
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    memmem::find(bytes, word).is_some()
}

#[derive(Deserialize)]
struct Object {
    manifests: Option<Few<Descriptor, INDEX_MAX>>,
    layers: Option<Few<Descriptor, LAYERS_MAX>>,
    config: Option<Configuration>,
    rootfs: Option<RootFs>,
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

/// In a manifest the descriptor of the configuration; in a configuration something else.
#[derive(Deserialize)]
struct Configuration {
    digest: Option<String>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Option<Few<String, LAYERS_MAX>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    media_type: Option<String>,
    urls: Option<Few<String, 1>>,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    /// Docker and nerdctl write the whole reference here, and a tag alone in the other one.
    #[serde(rename = "io.containerd.image.name")]
    image: Option<String>,
    #[serde(rename = "org.opencontainers.image.ref.name")]
    reference: Option<String>,
}

fn object(bytes: &[u8]) -> Option<(Document, bool)> {
    let object: Object = serde_json::from_slice(bytes).ok()?;
    if let Some(manifests) = object.manifests {
        let listed = manifests.items.into_iter().filter(|d| is_digest(&d.digest));
        let entry = |d: Descriptor| Entry {
            name: d
                .annotations
                .and_then(|a| a.image.or(a.reference))
                .filter(|name| is_name(name)),
            digest: d.digest,
        };
        return Some((Document::Index(listed.map(entry).collect()), manifests.more));
    }
    let config = object.config.and_then(|config| config.digest);
    if let (Some(layers), Some(config)) = (object.layers, config) {
        let listed = layers.items.into_iter().filter(|d| is_digest(&d.digest));
        let manifest = Manifest {
            config: Some(config).filter(|digest| is_digest(digest)),
            layers: listed.map(Layer::from).collect(),
        };
        return Some((Document::Manifest(manifest), layers.more));
    }
    let diff_ids = object.rootfs?.diff_ids?;
    let listed = diff_ids.items.into_iter().filter(|id| is_digest(id));
    let config = Config {
        diff_ids: listed.collect(),
        platform: platform(object.os, object.architecture, object.variant),
    };
    Some((Document::Config(config), diff_ids.more))
}

impl From<Descriptor> for Layer {
    fn from(descriptor: Descriptor) -> Self {
        let kind = descriptor.media_type.unwrap_or_default();
        Self {
            encrypted: kind.ends_with("+encrypted"),
            elsewhere: kind.contains("nondistributable")
                || kind.contains(".foreign.")
                || descriptor.urls.is_some_and(|urls| !urls.items.is_empty()),
            digest: descriptor.digest,
        }
    }
}

fn platform(
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
) -> Option<String> {
    let parts: Vec<String> = [os, architecture, variant]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    Some(parts.join("/")).filter(|platform| is_name(platform))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Combined {
    config: String,
    repo_tags: Option<Few<String, LAYERS_MAX>>,
    layers: Option<Few<String, LAYERS_MAX>>,
}

fn saved(bytes: &[u8]) -> Option<(Document, bool)> {
    let all: Few<Combined, INDEX_MAX> = serde_json::from_slice(bytes).ok()?;
    let mut more = all.more;
    let images = all.items.into_iter().map(|image| Saved {
        config: image.config,
        names: names_of(image.repo_tags, &mut more),
        layers: image.layers.map_or_else(Vec::new, |few| {
            more |= few.more;
            few.items
        }),
    });
    Some((Document::Saved(images.collect()), more))
}

fn names_of(names: Option<Few<String, LAYERS_MAX>>, more: &mut bool) -> Vec<String> {
    let names = names.map_or_else(Vec::new, |few| {
        *more |= few.more;
        few.items
    });
    names.into_iter().filter(|name| is_name(name)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct LayerRecord {
    id: String,
    parent: Option<String>,
    diff_digest: Option<String>,
}

fn stored_layers(bytes: &[u8]) -> Option<(Document, bool)> {
    let all: Few<LayerRecord, INDEX_MAX> = serde_json::from_slice(bytes).ok()?;
    let layers = all.items.into_iter().filter(|layer| is_id(&layer.id));
    let layers = layers.map(|layer| StoredLayer {
        id: layer.id,
        parent: layer.parent,
        digest: layer.diff_digest.filter(|digest| is_digest(digest)),
    });
    Some((Document::StoredLayers(layers.collect()), all.more))
}

#[derive(Deserialize)]
struct ImageRecord {
    id: String,
    digest: Option<String>,
    names: Option<Few<String, LAYERS_MAX>>,
    layer: Option<String>,
}

fn stored_images(bytes: &[u8]) -> Option<(Document, bool)> {
    let all: Few<ImageRecord, INDEX_MAX> = serde_json::from_slice(bytes).ok()?;
    let mut more = all.more;
    let images = all.items.into_iter().filter_map(|image| {
        Some(StoredImage {
            id: Some(format!("sha256:{}", image.id)).filter(|id| is_digest(id)),
            digest: image.digest.filter(|digest| is_digest(digest)),
            names: names_of(image.names, &mut more),
            layer: image.layer?,
        })
    });
    Some((Document::StoredImages(images.collect()), more))
}

/// Whether it is the name of a layer's directory, and nothing that leads elsewhere.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_never_lead_elsewhere() {
        let hex = "0123456789abcdef".repeat(4);
        assert!(is_digest(&format!("sha256:{hex}")));
        assert!(!is_digest(&format!("sha512:{hex}")));
        assert!(!is_digest(&format!("sha256:{}", hex.to_uppercase())));
        assert!(!is_digest(&format!("sha256:{}/", &hex[1..])));
        assert!(!is_digest(&format!("../..:{hex}")));
    }

    #[test]
    fn only_the_first_of_a_million_layers_are_kept() {
        let hex = "0".repeat(64);
        let layer = format!("{{\"digest\":\"sha256:{hex}\"}},");
        let layers = layer.repeat(20_000);
        let text = format!(
            "{{\"config\":{{\"digest\":\"sha256:{hex}\"}},\"layers\":[{}]}}",
            layers.trim_end_matches(',')
        );
        let Some((Document::Manifest(manifest), more)) = Document::parse(text.as_bytes()) else {
            panic!("no manifest");
        };
        assert_eq!((manifest.layers.len(), more), (LAYERS_MAX, true));
    }

    #[test]
    fn other_documents_are_none() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"digest\":1}",
            "[{\"Layers\":[]}]",
            "{\"config\":{\"digest\":\"x\"}}",
            "{\"manifests\":[{\"digest\":{}}]}",
        ] {
            assert!(Document::parse(text.as_bytes()).is_none(), "{text}");
        }
        let deep = "{\"digest\":".repeat(100_000);
        assert!(Document::parse(deep.as_bytes()).is_none());
    }
}
