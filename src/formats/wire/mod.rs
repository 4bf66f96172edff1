//! Shared readers that are no formats.

pub mod armour;
pub mod der;
pub mod ssh;
pub mod ssh_certificate;
pub mod ssh_lead;
pub mod ssh_line;
pub mod ssh_options;
