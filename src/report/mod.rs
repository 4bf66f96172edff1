//! One file per output form, writing to a given `Write`.

mod access;
mod advice;
mod ahead;
mod colour;
pub mod escape;
pub mod explain;
mod hosts;
pub mod inventory_check;
pub mod json;
mod line;
pub mod survey;
pub mod sweep;
pub mod text;
pub mod words;
mod wrapping;
