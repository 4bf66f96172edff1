//! Shared readers that are no formats.

pub mod der;
