//! Which images there are, and which layers they have.

use super::gather::{Heard, TAR};
use super::place::{self, Key, Store};
use crate::archives::image::{Config, Document, Manifest, Saved, StoredImage, split_digest};
use crate::model::{Gap, GapReason, Member};
use crate::walk::Aliases;
use std::collections::{BTreeMap, BTreeSet};

/// As many entries of indexes are followed: they may lead to one another.
const STEPS_MAX: usize = 1_000_000;
/// As many layers stand on one another; layers may name each other in a circle.
const CHAIN_MAX: usize = 1000;
/// So many blobs that a manifest lacks are told one by one.
const LACKING_MAX: usize = 8;

/// One image.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Where its manifest stands.
    path: Vec<u8>,
    inside: Vec<Member>,
    pub(super) names: BTreeSet<String>,
    pub(super) digest: Option<String>,
    pub(super) id: Option<String>,
    pub(super) platform: Option<String>,
    /// Whether an index, a tag or `docker save` leads to it.
    pub(super) is_listed: bool,
    pub(super) config: Option<Key>,
    /// The digest and the place of each layer, the lowest first.
    pub(super) layers: Vec<(String, Key)>,
    /// Digests of layers that nobody here can open.
    encrypted: Vec<String>,
    /// Places at which nothing must be.
    optional: BTreeSet<Key>,
    /// Whether its layers stand on more than are followed.
    endless: bool,
    /// Whether its layers are directories.
    pub(super) is_plain: bool,
}

/// All images, by the places of their configurations and layers.
#[derive(Debug)]
pub(super) struct Table<'a> {
    aliases: &'a Aliases,
    pub(super) images: Vec<Known>,
    by_content: BTreeMap<(Option<Key>, Vec<Key>), usize>,
    by_manifest: BTreeMap<Key, usize>,
    steps: usize,
}

/// The documents by their places.
pub(super) type Documents = BTreeMap<Key, Heard>;

impl<'a> Table<'a> {
    /// Puts the documents together; `has_layer` says whether something was read at a place.
    pub(super) fn new(
        documents: &Documents,
        has_layer: &dyn Fn(&Key) -> bool,
        aliases: &'a Aliases,
    ) -> Self {
        let mut table = Self {
            aliases,
            images: Vec::new(),
            by_content: BTreeMap::new(),
            by_manifest: BTreeMap::new(),
            steps: 0,
        };
        for (key, heard) in documents {
            if let Document::Manifest(manifest) = &heard.document {
                table.manifest(key, heard, manifest, documents);
            }
        }
        for (key, heard) in documents {
            if let (Document::Saved(images), Some((directory, _))) =
                (&heard.document, place::split(key))
            {
                table.saved(directory, heard, images, documents, has_layer);
            }
        }
        for (key, heard) in documents {
            if let (Document::StoredImages(images), Some(store)) =
                (&heard.document, key.strip_suffix(place::STORED_IMAGES))
            {
                table.stored(store, heard, images, documents);
            }
        }
        for (key, heard) in documents {
            table.names(key, &heard.document, documents);
        }
        table
    }

    /// Where a blob lies, by that path of its file that is told.
    fn blob(&self, store: &Store, digest: &str) -> Key {
        place::canonical(&store.blob(digest), self.aliases)
    }

    fn manifest(
        &mut self,
        key: &Key,
        heard: &Heard,
        manifest: &Manifest,
        documents: &Documents,
    ) -> Option<()> {
        let (store, digest) = match Store::of_blob(key) {
            Some((store, digest)) => (store, Some(digest)),
            None => (Store::Flat(place::split(key)?.0.to_vec()), None),
        };
        let config = manifest
            .config
            .as_ref()
            .map(|digest| self.blob(&store, digest));
        let layers = manifest.layers.iter();
        let layers: Vec<_> = layers
            .map(|layer| (layer.digest.clone(), self.blob(&store, &layer.digest)))
            .collect();
        let encrypted = manifest.layers.iter().filter(|layer| layer.encrypted);
        let optional = manifest.layers.iter().filter(|layer| layer.elsewhere);
        let known = Known {
            is_listed: digest.is_none(),
            digest,
            id: manifest.config.clone(),
            platform: config_at(config.as_ref(), documents).and_then(|c| c.platform.clone()),
            config,
            layers,
            encrypted: encrypted.map(|layer| layer.digest.clone()).collect(),
            optional: optional
                .map(|layer| self.blob(&store, &layer.digest))
                .collect(),
            path: heard.path.clone(),
            inside: heard.inside.clone(),
            ..Known::default()
        };
        let number = self.add(known);
        self.by_manifest.insert(key.clone(), number);
        Some(())
    }

    fn saved(
        &mut self,
        directory: &[u8],
        heard: &Heard,
        images: &[Saved],
        documents: &Documents,
        has_layer: &dyn Fn(&Key) -> bool,
    ) {
        // One that stands there already may be a link, or nothing: it is the one of the same digest then.
        let mut read: BTreeMap<String, Key> = BTreeMap::new();
        let layers: Vec<_> = images
            .iter()
            .map(|image| saved_layers(directory, image, documents))
            .collect();
        for (digest, key) in layers.iter().flatten().filter(|(_, key)| has_layer(key)) {
            read.entry(digest.clone()).or_insert_with(|| key.clone());
        }
        for (image, mut layers) in images.iter().zip(layers) {
            for (digest, key) in layers.iter_mut().filter(|(_, key)| !has_layer(key)) {
                if let Some(other) = read.get(digest) {
                    key.clone_from(other);
                }
            }
            let config = place::join(directory, image.config.as_bytes());
            let number = self.add(Known {
                id: digest_in(&image.config),
                platform: config_at(Some(&config), documents).and_then(|c| c.platform.clone()),
                config: Some(config),
                layers,
                path: heard.path.clone(),
                inside: heard.inside.clone(),
                ..Known::default()
            });
            if let Some(known) = self.images.get_mut(number) {
                known.names.extend(image.names.iter().cloned());
                known.is_listed = true;
            }
        }
    }

    /// The images of a store of containers/storage.
    fn stored(
        &mut self,
        store: &[u8],
        heard: &Heard,
        images: &[StoredImage],
        documents: &Documents,
    ) {
        let list = [store, place::STORED_LAYERS].concat();
        let Some(Document::StoredLayers(layers)) = documents.get(&list).map(|d| &d.document) else {
            return;
        };
        let by_id: BTreeMap<&str, _> = layers.iter().map(|l| (l.id.as_str(), l)).collect();
        for image in images {
            let mut chain = Vec::new();
            let mut next = by_id.get(image.layer.as_str());
            while let Some(layer) = next
                && chain.len() < CHAIN_MAX
            {
                let place = format!("/overlay/{}/diff", layer.id);
                let digest = layer.digest.as_ref().unwrap_or(&layer.id);
                chain.push((digest.clone(), [store, place.as_bytes()].concat()));
                next = layer.parent.as_deref().and_then(|id| by_id.get(id));
            }
            chain.reverse();
            self.images.push(Known {
                path: heard.path.clone(),
                inside: heard.inside.clone(),
                names: image.names.iter().cloned().collect(),
                digest: image.digest.clone(),
                id: image.id.clone(),
                is_listed: true,
                layers: chain,
                endless: next.is_some(),
                is_plain: true,
                ..Known::default()
            });
        }
    }

    /// Takes in an image; what is stored in two ways is one.
    fn add(&mut self, known: Known) -> usize {
        let layers = known.layers.iter().map(|(_, key)| key.clone()).collect();
        let content = (known.config.clone(), layers);
        let next = self.images.len();
        let number = *self.by_content.entry(content).or_insert(next);
        if number == next {
            self.images.push(known);
        }
        number
    }

    /// Names what an index or a tag leads to.
    fn names(&mut self, key: &Key, document: &Document, documents: &Documents) {
        match document {
            Document::Index(entries) => {
                let Some((directory, b"index.json")) = place::split(key) else {
                    return;
                };
                let store = Store::Layout(directory.to_vec());
                for entry in entries {
                    self.name(&store, &entry.digest, entry.name.as_deref(), documents);
                }
            }
            Document::Tag(digest) => {
                // R/repositories/NAME/_manifests/tags/TAG/current/link
                let mut parts = key.rsplitn(5, |byte| *byte == b'/').skip(2);
                let (Some(tag), Some(b"tags"), Some(rest)) =
                    (parts.next(), parts.next(), parts.next())
                else {
                    return;
                };
                let rest = rest.strip_suffix(b"/_manifests");
                let found = rest.and_then(|rest| {
                    let at = memchr::memmem::rfind(rest, REPOSITORIES)?;
                    Some((rest.get(..at)?, rest.get(at + REPOSITORIES.len()..)?))
                });
                let Some((registry, repository)) = found else {
                    return;
                };
                let name = [repository, b":", tag].concat();
                let name = String::from_utf8_lossy(&name);
                let store = Store::Registry(registry.to_vec());
                self.name(&store, digest, Some(&name), documents);
            }
            _ => {}
        }
    }

    /// Names one image, or those to which an index leads, which may be one of indexes.
    fn name(&mut self, store: &Store, digest: &str, name: Option<&str>, documents: &Documents) {
        let mut seen = BTreeSet::new();
        let mut next = vec![digest];
        while let Some(digest) = next.pop() {
            self.steps += 1;
            let key = self.blob(store, digest);
            if self.steps > STEPS_MAX || seen.contains(&key) {
                continue;
            }
            let number = self.by_manifest.get(&key).copied();
            if let Some(known) = number.and_then(|number| self.images.get_mut(number)) {
                known.is_listed = true;
                known.names.extend(name.map(str::to_owned));
            } else if let Some(Document::Index(entries)) =
                documents.get(&key).map(|heard| &heard.document)
            {
                next.extend(entries.iter().map(|entry| entry.digest.as_str()));
            }
            seen.insert(key);
        }
    }

    /// What manifests list that is not there, is closed, or is too much.
    pub(super) fn gaps(
        &self,
        documents: &Documents,
        is_there: &dyn Fn(&Known, &Key) -> bool,
    ) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for heard in documents.values().filter(|heard| heard.more) {
            let detail = "image: a document that lists more layers or images than are read";
            let mut gap = Gap::at(&heard.path, GapReason::Limit, detail);
            gap.inside.clone_from(&heard.inside);
            gaps.push(gap);
        }
        for known in &self.images {
            let mut tell = |reason, detail: String| {
                let mut gap = Gap::at(&known.path, reason, detail);
                gap.inside.clone_from(&known.inside);
                gaps.push(gap);
            };
            if known.endless {
                tell(
                    GapReason::Limit,
                    format!("image: more than {CHAIN_MAX} layers"),
                );
            }
            for digest in known.encrypted.iter().take(LACKING_MAX) {
                tell(
                    GapReason::Encrypted,
                    format!("image: layer {digest} is encrypted"),
                );
            }
            let id = known.id.iter().zip(&known.config);
            let config = id.map(|(digest, key)| ("configuration", digest, key));
            let layers = known.layers.iter().map(|(d, key)| ("layer", d, key));
            let lacking: Vec<_> = config
                .chain(layers)
                .filter(|(_, _, key)| !known.optional.contains(*key) && !is_there(known, key))
                .collect();
            for (what, digest, _) in lacking.iter().take(LACKING_MAX) {
                tell(
                    GapReason::NotSwept,
                    format!("image: {what} {digest} is not here"),
                );
            }
            if let Some(more @ 1..) = lacking.len().checked_sub(LACKING_MAX) {
                tell(
                    GapReason::NotSwept,
                    format!("image: {more} more layers are not here"),
                );
            }
        }
        if self.steps > STEPS_MAX
            && let Some(first) = self.images.first()
        {
            let detail =
                format!("image: indexes list more than {STEPS_MAX} others; some have no name");
            gaps.push(Gap::at(&first.path, GapReason::Limit, detail));
        }
        gaps
    }
}

impl Known {
    /// The file that holds its manifest.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// Whether it stands in an archive.
    pub(super) fn is_packed(&self) -> bool {
        self.inside.iter().any(|member| member.container == TAR)
    }
}

/// Where a registry keeps what its repositories hold.
const REPOSITORIES: &[u8] = b"/repositories/";

fn config_at<'a>(key: Option<&Key>, documents: &'a Documents) -> Option<&'a Config> {
    match &documents.get(key?)?.document {
        Document::Config(config) => Some(config),
        _ => None,
    }
}

/// The layers of a saved image by the digests of their content, which the configuration has in the same order.
fn saved_layers(directory: &[u8], image: &Saved, documents: &Documents) -> Vec<(String, Key)> {
    let config = place::join(directory, image.config.as_bytes());
    let config = config_at(Some(&config), documents);
    let diff_ids = config.map_or(&[][..], |config| &config.diff_ids);
    let layers = image.layers.iter().enumerate().map(|(number, path)| {
        let digest = diff_ids.get(number).cloned().or_else(|| digest_in(path));
        let key = place::join(directory, path.as_bytes());
        (digest.unwrap_or_else(|| path.clone()), key)
    });
    layers.collect()
}

/// The digest that the path of a saved blob has: `blobs/sha256/HEX`, `HEX.json`, `HEX.tar`.
fn digest_in(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let hex = name.split('.').next()?;
    let digest = format!("sha256:{hex}");
    split_digest(&digest).is_some().then_some(digest)
}
