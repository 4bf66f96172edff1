//! What a format hands over: one parsed thing, not yet identified or placed.

use super::candidate::EntryFacts;
use super::certificate::Certificate;
use super::hex::{Sha1Hex, Sha256Hex};
use super::kind::{Encoding, Kind, Protection};
use super::pgp::Pgp;
use super::secret::Secret;
use super::ssh::Ssh;
use super::unlock::Opened;
use std::borrow::Cow;

/// One parsed thing, not yet identified or placed.
#[derive(Debug)]
pub struct Artifact {
    /// What it is.
    pub kind: Kind,
    /// The name of the format that read it.
    pub format: &'static str,
    /// The clothes that it wears.
    pub encoding: Encoding,
    /// What identity is derived from.
    pub key: KeyMaterial,
    /// The algorithm, where the format knows it and the material does not tell (opaque keys, signature-only OIDs).
    pub algorithm: Option<Cow<'static, str>>,
    /// Size in bits, where the material does not tell it.
    pub bits: Option<u32>,
    /// Whether private material stands in clear; absent for public things.
    pub protection: Option<Protection>,
    /// Cipher and key derivation of encrypted material, as `PBES2 aes-256-cbc, PBKDF2 hmacWithSHA256`.
    pub cipher: Option<String>,
    /// DER of the certificate, from which its digests are taken.
    pub certificate_der: Option<Vec<u8>>,
    /// X.509 facts.
    pub certificate: Option<Box<Certificate>>,
    /// Subject key identifier extension, raw bytes.
    pub ski: Option<Vec<u8>>,
    /// OpenSSH facts.
    pub ssh: Option<Box<Ssh>>,
    /// OpenPGP facts.
    pub pgp: Option<Box<Pgp>>,
    /// OpenPGP fingerprint, upper-case hexadecimal; its key id follows from it.
    pub pgp_fingerprint: Option<String>,
    /// libgcrypt's keygrip, where the material does not tell it (ElGamal).
    pub keygrip: Option<Sha1Hex>,
    /// Alias of a keystore entry.
    pub alias: Option<String>,
    /// When a keystore says that the entry was made.
    pub created: Option<jiff::Timestamp>,
    /// How it was opened, if it was closed.
    pub opened: Option<Opened>,
    /// CKA_ID or localKeyID, lower-case hexadecimal.
    pub pkcs11_id: Option<String>,
    /// Remarks for people.
    pub notes: Vec<Cow<'static, str>>,
    /// Where it starts, counted from the start of the candidate that it was read from.
    pub offset: usize,
}

impl Artifact {
    /// An artifact with no facts beside kind, format, encoding and key.
    pub fn new(kind: Kind, format: &'static str, encoding: Encoding, key: KeyMaterial) -> Self {
        Self {
            kind,
            format,
            encoding,
            key,
            algorithm: None,
            bits: None,
            protection: None,
            cipher: None,
            certificate_der: None,
            certificate: None,
            ski: None,
            ssh: None,
            pgp: None,
            pgp_fingerprint: None,
            keygrip: None,
            alias: None,
            created: None,
            opened: None,
            pkcs11_id: None,
            notes: Vec::new(),
            offset: 0,
        }
    }

    /// Takes over what a container says of the entry that this was read from.
    pub fn inherit(&mut self, entry: &EntryFacts) {
        let EntryFacts {
            alias,
            created,
            protection,
            cipher,
            opened,
            pkcs11_id,
            notes,
        } = entry;
        if self.alias.is_none() {
            self.alias.clone_from(alias);
        }
        if self.pkcs11_id.is_none() {
            self.pkcs11_id.clone_from(pkcs11_id);
        }
        self.created = self.created.or(*created);
        // Public things stand open whatever the store does with its keys.
        if self.kind.is_private() {
            if self.protection != Some(Protection::Encrypted) && protection.is_some() {
                self.protection = *protection;
                self.cipher.clone_from(cipher);
            }
            self.opened = self.opened.or(*opened);
        }
        self.notes.extend(notes.iter().cloned());
    }
}

/// What an identity can be derived from. Integers are big-endian, unsigned, without leading zeros.
#[derive(Debug)]
pub enum KeyMaterial {
    /// A DER SubjectPublicKeyInfo as encoded there (RFC 5280, section 4.1.2.7).
    Spki(Vec<u8>),
    /// RSA modulus and public exponent.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Public exponent.
        e: Vec<u8>,
    },
    /// DSA parameters and public value.
    Dsa {
        /// Prime modulus.
        p: Vec<u8>,
        /// Subgroup order.
        q: Vec<u8>,
        /// Generator.
        g: Vec<u8>,
        /// Public value.
        y: Vec<u8>,
    },
    /// A point on a curve.
    Ec {
        /// Contents of the ECParameters: a whole DER element, OID or explicit (RFC 5480, section 2.1.1).
        parameters: Vec<u8>,
        /// The point, SEC 1 section 2.3.3, compressed or not.
        point: Vec<u8>,
    },
    /// A public key of RFC 8410 (or any algorithm whose key is plain bytes), named by its OID.
    Raw {
        /// Contents bytes of the algorithm's OBJECT IDENTIFIER.
        oid: Vec<u8>,
        /// The key bytes.
        public: Vec<u8>,
    },
    /// A private number from which the public half must be computed.
    Private(PrivateNumbers),
    /// An SSH wire blob (RFC 4253, section 6.6); converted to SPKI where its algorithm has one.
    SshBlob(Vec<u8>),
    /// Encrypted material whose public half is not in clear: SHA-256 of its ciphertext.
    Opaque(Sha256Hex),
    /// An OpenPGP key that has no SPKI form: its fingerprint, upper-case hexadecimal.
    Pgp(String),
    /// A random symmetric key of `Artifact::algorithm`.
    Symmetric(Secret),
    /// A secret that comes from a password, or is too short: only an HMAC under the user's own key names it.
    Guessable(Secret),
    /// Recognised as a key of the named algorithm, and no identity can be derived.
    Unknown,
    /// No key at all (a CRL, a keystore).
    None,
}

/// Private numbers that stand without their public half.
#[derive(Debug)]
pub enum PrivateNumbers {
    /// A scalar on a short Weierstrass curve.
    Ec {
        /// Contents of the ECParameters: a whole DER element, OID or explicit.
        parameters: Vec<u8>,
        /// The scalar, big-endian.
        scalar: Secret,
    },
    /// The private bytes of an RFC 8410 key, or of an ML-KEM or ML-DSA key (its seed, its expanded form, or one behind the
    /// other), named by its OID.
    Raw {
        /// Contents bytes of the algorithm's OBJECT IDENTIFIER.
        oid: Vec<u8>,
        /// The private key's bytes.
        private: Secret,
    },
    /// A private value of GOST R 34.10.
    Gost {
        /// The AlgorithmIdentifier, a whole DER element.
        algorithm: Vec<u8>,
        /// The private value, least significant byte first, then any masks of the same length that it is to be multiplied with.
        private: Secret,
    },
    /// A DSA private value with its parameters.
    Dsa {
        /// Prime modulus.
        p: Vec<u8>,
        /// Subgroup order.
        q: Vec<u8>,
        /// Generator.
        g: Vec<u8>,
        /// Private value.
        x: Secret,
    },
}
