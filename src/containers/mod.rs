//! What holds other things: armours, DER runs in other bytes, and later archives and keystores.
//!
//! The trait and the list are those of [`crate::formats`]. A container never calls a format: it hands over
//! nested candidates, and `parse` puts them on its worklist.

pub mod ansible_vault;
pub mod bare_base64;
pub mod base64_run;
pub mod bcfks;
pub mod bks;
pub mod der_run;
pub mod dpapi;
pub mod gnupg_keybox;
pub mod hex_run;
pub mod ibm_kdb;
pub mod jks;
pub mod macos_keychain;
pub mod mail_part;
pub mod nss;
pub mod nss_legacy;
pub mod oracle_sso;
pub mod pem_armour;
pub mod pkcs12;
pub mod pki_path;
pub mod sst;
pub mod url_run;
pub mod windows_key;
