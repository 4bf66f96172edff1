//! What is heard of images while everything is read.

use super::place::{self, Key};
use crate::archives::image::{Document, Names, Naming};
use crate::model::Member;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many bytes all threads together keep: four million names, or the documents of thousands of images.
const HELD_MAX: usize = 32 << 20;
/// What a place takes beside its text.
const PLACE: usize = 64;

/// What all threads of a sweep share.
#[derive(Debug, Clone, Default)]
pub(in crate::pipeline) struct Gathering {
    pub(super) naming: Naming,
    held: Arc<AtomicUsize>,
}

/// What one thread gathered.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Gathered {
    pub(super) shared: Gathering,
    pub(super) documents: Vec<Heard>,
    pub(super) layers: Vec<(Key, Names)>,
    /// Members of archives that may be blobs.
    pub(super) members: Vec<Key>,
    /// Whether something was left out, as there was too much.
    pub(super) overfull: bool,
    open: Vec<Open>,
}

/// A document, and where it stands.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) path: Vec<u8>,
    pub(super) inside: Vec<Member>,
    pub(super) document: Document,
    /// Whether it lists more than is kept.
    pub(super) more: bool,
}

/// A layer that is being read.
#[derive(Debug)]
struct Open {
    /// How many members lead to its archive.
    depth: usize,
    key: Key,
    names: Names,
}

impl Gathered {
    pub(in crate::pipeline) fn new(shared: &Gathering) -> Self {
        Self {
            shared: shared.clone(),
            ..Self::default()
        }
    }

    /// Whether what stands in these members of a file may be a document.
    pub(in crate::pipeline) fn listens(&self, path: &[u8], inside: &[Member]) -> bool {
        match inside.last() {
            None => place::may_be_document(path),
            Some(last) if last.container == TAR => with_name(last, place::may_be_document),
            Some(_) => false,
        }
    }

    /// Whether what stands in these members of a file may be a layer, of which all names are wanted.
    pub(in crate::pipeline) fn notes_names(&self, path: &[u8], inside: &[Member]) -> bool {
        layer_around(path, inside).is_some()
    }

    /// Takes in what may be a document.
    pub(in crate::pipeline) fn hear(&mut self, path: &[u8], inside: &[Member], text: &[u8]) {
        let Some((document, more)) = Document::parse(text) else {
            return;
        };
        if self.has_room(text.len() + path.len() + PLACE) {
            self.documents.push(Heard {
                path: path.to_vec(),
                inside: inside.to_vec(),
                document,
                more,
            });
        }
    }

    /// A member of what stands in these is entered.
    pub(in crate::pipeline) fn enter(&mut self, path: &[u8], inside: &[Member], member: &Member) {
        if member.container == TAR {
            with_name(member, |name| self.entry(path, inside, name));
        }
    }

    /// An entry of a tar archive that stands in these members.
    pub(in crate::pipeline) fn entry(&mut self, path: &[u8], inside: &[Member], name: &[u8]) {
        let depth = inside.len();
        let is_open = self.open.last().is_some_and(|open| open.depth == depth);
        if !is_open && let Some(key) = layer_around(path, inside) {
            self.open.push(Open {
                depth,
                key,
                names: Names::default(),
            });
        } else if !is_open && place::may_be_layer(name) {
            let mut key = place::key(path, inside);
            place::enter_named(&mut key, TAR, name);
            if self.has_room(key.len() + PLACE) {
                self.members.push(key);
            }
            return;
        } else if !is_open {
            return;
        }
        if self.has_room(Names::EACH)
            && let Some(open) = self.open.last_mut()
        {
            open.names.add(&self.shared.naming, name);
        }
    }

    /// As many members lead to where the search is now.
    pub(in crate::pipeline) fn left_to(&mut self, depth: usize) {
        while let Some(open) = self.open.pop_if(|open| open.depth > depth) {
            self.layers.push((open.key, open.names));
        }
    }

    /// The file ends.
    pub(in crate::pipeline) fn end(&mut self) {
        let ended = self.open.drain(..).map(|open| (open.key, open.names));
        self.layers.extend(ended);
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let held = self.shared.held.fetch_add(bytes, Ordering::Relaxed);
        let has_room = held.saturating_add(bytes) <= HELD_MAX;
        if !has_room {
            self.shared.held.fetch_sub(bytes, Ordering::Relaxed);
            self.overfull = true;
        }
        has_room
    }
}

/// The type of the members that have a path.
pub(super) const TAR: &str = "tar";

/// What a layer may be compressed with.
const COMPRESSORS: &[&str] = &["gzip", "zstd", "xz", "bzip2"];

/// The place of the layer whose archive stands in these members, if it may be one.
fn layer_around(path: &[u8], inside: &[Member]) -> Option<Key> {
    let is_holder = |member: &Member| !COMPRESSORS.contains(&member.container.as_str());
    let holder = inside.iter().rposition(is_holder);
    let leads = inside.get(..holder.map_or(0, |at| at + 1))?;
    let is_layer = match leads.last() {
        None => place::may_be_layer(path),
        Some(last) => last.container == TAR && with_name(last, place::may_be_layer),
    };
    is_layer.then(|| place::key(path, leads))
}

/// Looks at the exact name of a member.
fn with_name<T>(member: &Member, look: impl FnOnce(&[u8]) -> T) -> T {
    match (&member.name, &member.name_bytes) {
        (Some(name), None) => look(name.as_bytes()),
        _ => look(&member.exact_name()),
    }
}
