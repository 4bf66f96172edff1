//! What an artifact is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of one parsed thing (the word list of the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A private key, in clear or encrypted.
    PrivateKey,
    /// A public key that stands alone.
    PublicKey,
    /// An X.509 certificate.
    Certificate,
    /// A PKCS#10 certification request.
    CertificateRequest,
    /// An X.509 certificate revocation list.
    Crl,
    /// An OpenSSH certificate.
    SshCertificate,
    /// A grant: a public key that may log in.
    AuthorizedKey,
    /// A host key as a client remembers it.
    KnownHost,
    /// A symmetric key.
    SymmetricKey,
    /// An OpenPGP public key or subkey.
    PgpPublicKey,
    /// An OpenPGP secret key or subkey.
    PgpSecretKey,
    /// The container of keys itself; its entries are artifacts of their own.
    Keystore,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 12] = [
        Self::PrivateKey,
        Self::PublicKey,
        Self::Certificate,
        Self::CertificateRequest,
        Self::Crl,
        Self::SshCertificate,
        Self::AuthorizedKey,
        Self::KnownHost,
        Self::SymmetricKey,
        Self::PgpPublicKey,
        Self::PgpSecretKey,
        Self::Keystore,
    ];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKey => "private_key",
            Self::PublicKey => "public_key",
            Self::Certificate => "certificate",
            Self::CertificateRequest => "certificate_request",
            Self::Crl => "crl",
            Self::SshCertificate => "ssh_certificate",
            Self::AuthorizedKey => "authorized_key",
            Self::KnownHost => "known_host",
            Self::SymmetricKey => "symmetric_key",
            Self::PgpPublicKey => "pgp_public_key",
            Self::PgpSecretKey => "pgp_secret_key",
            Self::Keystore => "keystore",
        }
    }

    /// Whether a sighting of this kind holds private or secret material.
    pub const fn is_private(self) -> bool {
        matches!(
            self,
            Self::PrivateKey | Self::SymmetricKey | Self::PgpSecretKey
        )
    }

    /// Whether it is an OpenPGP key.
    pub const fn is_pgp(self) -> bool {
        matches!(self, Self::PgpPublicKey | Self::PgpSecretKey)
    }

    /// Whether a sighting of this kind only refers to a key (adds places and evidence, no duty to register).
    pub const fn is_reference(self) -> bool {
        matches!(
            self,
            Self::KnownHost | Self::PublicKey | Self::CertificateRequest | Self::Crl
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The outermost clothes that an object's bytes wear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// RFC 7468 textual encoding, or OpenSSL's older form of it.
    Pem,
    /// Binary DER.
    Der,
    /// A line or block of text of its own format (OpenSSH lines, RFC 4716).
    Text,
    /// Another binary form.
    Binary,
}

/// Whether private material stands in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// In clear.
    None,
    /// Encrypted under a password or another key.
    Encrypted,
}

/// Whose a sighting is; ordered from the strongest to the weakest.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The host's own.
    #[default]
    Own,
    /// Inside a package root of a language or an image layer, proven by that package's own metadata.
    Dependency,
    /// The file belongs to an installed package and has its digest.
    Vendor,
    /// A CA certificate in a trust store, identical to one that the distribution ships.
    TrustAnchor,
}

impl Class {
    /// All, from the strongest.
    pub const ALL: [Self; 4] = [Self::Own, Self::Dependency, Self::Vendor, Self::TrustAnchor];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Dependency => "dependency",
            Self::Vendor => "vendor",
            Self::TrustAnchor => "trust_anchor",
        }
    }
}
