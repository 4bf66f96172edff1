//! Live keystores: PKCS#11 tokens and agents. They are asked, and only when the user wants it.
//!
//! A token's module is somebody else's code: it runs in a child process of this binary, with a time limit. Private bytes
//! are never asked for.

pub mod agents;
pub mod pkcs11;

use crate::model::{Artifact, Gap};

/// What a live store holds.
#[derive(Debug)]
pub struct Held {
    /// The thing itself.
    pub what: Thing,
    /// The module or the socket, as this machine sees it.
    pub path: Vec<u8>,
    /// The kind of store, for the place: `pkcs11`, `agent`.
    pub store: &'static str,
    /// The token's label, or the agent's name.
    pub name: String,
}

/// One thing in a live store.
#[derive(Debug)]
pub enum Thing {
    /// Understood.
    Artifact(Box<Artifact>),
    /// Bytes of a certificate, for a format to read, with label and CKA_ID.
    Certificate {
        /// DER.
        der: Vec<u8>,
        /// CKA_LABEL.
        label: Option<String>,
        /// CKA_ID, lower-case hexadecimal.
        id: Option<String>,
    },
}

/// What the live stores hold, and what could not be asked.
#[derive(Debug, Default)]
pub struct Holdings {
    /// What they hold.
    pub held: Vec<Held>,
    /// What was not answered.
    pub gaps: Vec<Gap>,
}
