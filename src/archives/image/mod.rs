//! Container images: the documents that say which layers an image has, and what later layers remove.
//!
//! Layers themselves are archives like any other. Nothing here reads one: the documents come as bytes, the names of a
//! layer's entries one by one.

mod document;
mod few;
mod names;

pub use document::{
    Config, Document, Entry, Layer, Manifest, Saved, StoredImage, StoredLayer, is_digest,
    split_digest,
};
pub use names::{Names, Naming};
