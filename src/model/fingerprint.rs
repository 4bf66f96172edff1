//! Every fingerprint form that a sighting may carry and an inventory may use.

use super::hex::{Hex, Md5Hex, Sha1Hex, Sha256Hex};
use super::prints::{JwkThumbprint, SshMd5, SshSha256};
use serde::{Deserialize, Serialize};

/// The fingerprints of one sighting; a form that does not exist for it is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// SHA-256 of the SubjectPublicKeyInfo as encoded there, else of the canonical one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spki_sha256: Option<Sha256Hex>,
    /// SHA-256 of the certificate's DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_sha256: Option<Sha256Hex>,
    /// SHA-1 of the certificate's DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_sha1: Option<Sha1Hex>,
    /// MD5 of the certificate's DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_md5: Option<Md5Hex>,
    /// OpenSSH's `SHA256:` form (base64 without padding) of the key's SSH blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_sha256: Option<SshSha256>,
    /// OpenSSH's `MD5:` form (colons) of the key's SSH blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_md5: Option<SshMd5>,
    /// The subject key identifier, lower-case hexadecimal (RFC 5280, section 4.2.1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ski: Option<Box<str>>,
    /// RFC 7638 thumbprint of the public key as a JWK, SHA-256, base64url without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk_thumbprint: Option<JwkThumbprint>,
    /// OpenPGP fingerprint, upper-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgp_fingerprint: Option<Box<str>>,
    /// OpenPGP key id, 16 upper-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgp_keyid: Option<Box<str>>,
    /// libgcrypt's keygrip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keygrip: Option<Hex<20>>,
    /// CKA_ID of a PKCS#11 object, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkcs11_id: Option<Box<str>>,
}
