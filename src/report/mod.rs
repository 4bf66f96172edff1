//! One file per output form, writing to a given `Write`.

mod access;
pub mod escape;
pub mod explain;
pub mod inventory_check;
pub mod json;
pub mod survey;
pub mod sweep;
pub mod text;
pub mod words;
