//! Container images: which of them hold a layer, and what later layers remove.
//!
//! Layers are archives, and are searched like any other wherever they lie, each once. While that goes on, the small documents of
//! images are heard along, and the names of what may be a layer are noted ([`Gathered`]). When all is read, [`relate`] puts them together
//! and tells it of what was found in layers.

mod gather;
mod heard;
mod overlay;
mod place;
mod relate;
mod table;

pub(super) use gather::{Gathered, Gathering};
pub(super) use heard::Heard;
pub(super) use relate::relate;
