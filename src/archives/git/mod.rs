//! Objects of git repositories: packs (gitformat-pack(5), versions 2 and 3) with their indexes, and objects that have a
//! file of their own. Nothing here opens a file, and nothing knows a configuration.
//!
//! A pack is not read in the order of names, as git does when asked for all objects, but from each whole object to
//! the deltas that build on it: so each is inflated once, and what is held is only what deltas still wait for.

mod delta;
mod entry;
mod forest;
mod history;
mod id;
mod index;
mod inflate;
mod lone;
mod loose;
mod meter;
mod object;
mod pack;
mod store;

pub use forest::{Forest, Objects};
pub use history::{History, Named, Question, ask};
pub use id::ObjectId;
pub use index::Index;
pub use inflate::Inflater;
pub(super) use lone::{Bundle, LoneObject, LonePack};
pub use loose::loose;
pub use meter::Meter;
pub use object::{Kind, Person, author, tagged};
pub use pack::Pack;
pub use store::{Loose, Store};

use super::Source;

/// A source that several threads read.
pub type Shared = Box<dyn Source + Send + Sync>;

/// A larger object is not put together from deltas; whole ones are read as streams of any size.
pub(crate) const OBJECT_MAX: u64 = 32 << 20;
