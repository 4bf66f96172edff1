//! Shared readers that are no formats.

pub mod armour;
pub mod der;
