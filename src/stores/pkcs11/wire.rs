//! What parent and child say to each other: one JSON line asks, JSON lines answer.

use crate::model::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The question.
#[derive(Serialize, Deserialize)]
pub(super) struct Ask {
    /// The module's path, base64.
    pub(super) module: String,
    /// Label, and PIN in base64.
    pub(super) pins: Vec<(Option<String>, Zeroizing<String>)>,
}

impl Ask {
    pub(super) fn new(module: &Path, pins: &[(Option<String>, Secret)]) -> Self {
        let pin = |(label, pin): &(Option<String>, Secret)| {
            (label.clone(), Zeroizing::new(STANDARD.encode(pin.expose())))
        };
        Self {
            module: STANDARD.encode(module.as_os_str().as_bytes()),
            pins: pins.iter().map(pin).collect(),
        }
    }
}

/// One line of the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// A token that is initialised.
    Token(Token),
    /// One of its objects.
    Object(Box<Object>),
    /// Its private objects stay unseen, with the reason.
    Closed {
        /// Label.
        token: String,
        /// Why.
        detail: String,
    },
    /// The module did not do what was asked.
    Failed {
        /// Its error.
        detail: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) label: String,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) serial: String,
    /// Whether a PIN is needed, and whether it was given.
    pub(super) access: String,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Class {
    Certificate,
    PublicKey,
    PrivateKey,
    SecretKey,
}

/// The attributes of an object, never CKA_VALUE of a private or secret one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) token: String,
    pub(super) class: Class,
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) id: Vec<u8>,
    /// CKK_… without its prefix.
    pub(super) key_type: Option<String>,
    /// DER of a certificate.
    #[serde(default)]
    pub(super) value: Vec<u8>,
    #[serde(default)]
    pub(super) modulus: Vec<u8>,
    #[serde(default)]
    pub(super) exponent: Vec<u8>,
    #[serde(default)]
    pub(super) ec_parameters: Vec<u8>,
    #[serde(default)]
    pub(super) ec_point: Vec<u8>,
    #[serde(default)]
    pub(super) public_key_info: Vec<u8>,
    /// Length of a secret key in bytes.
    pub(super) length: Option<u64>,
    /// Key check value.
    #[serde(default)]
    pub(super) check: Vec<u8>,
    /// Words such as `extractable`, `never extractable`, `sensitive`.
    #[serde(default)]
    pub(super) traits: Vec<String>,
}
