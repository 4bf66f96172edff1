//! Shared readers that are no formats.

pub mod armour;
pub mod base64_text;
pub mod bech32;
pub mod ber;
pub mod certificate;
pub mod crl;
pub mod curves;
pub mod der;
pub mod extensions;
pub mod ini;
pub mod json_span;
pub mod labels;
pub mod names;
pub mod oid;
pub mod private;
pub mod spki;
pub mod ssh;
pub mod ssh2_armour;
pub mod ssh_certificate;
pub mod ssh_lead;
pub mod ssh_line;
pub mod ssh_options;
pub mod ssh_signers;
pub mod text_lines;
pub mod time;
pub mod untrusted_comment;
