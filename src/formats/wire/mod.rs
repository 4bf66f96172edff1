//! Shared readers that are no formats.

pub mod armour;
pub mod attempts;
pub mod ber;
pub mod certificate;
pub mod crl;
pub mod curves;
pub mod der;
pub mod extensions;
pub mod java;
pub mod java_object;
pub mod labels;
pub mod names;
pub mod oid;
pub mod pbe;
pub mod private;
pub mod spki;
pub mod ssh;
pub mod ssh_certificate;
pub mod ssh_lead;
pub mod ssh_line;
pub mod ssh_options;
pub mod time;
