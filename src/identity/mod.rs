//! One canonical key id from any encoding, and every fingerprint form.
use crate::model::*;
use std::borrow::Cow;
/// x
#[derive(Default)]
pub struct Identity {
    /// x
    pub key_id: Option<KeyId>,
    /// x
    pub algorithm: Option<Cow<'static, str>>,
    /// x
    pub bits: Option<u32>,
    /// x
    pub curve: Option<Cow<'static, str>>,
    /// x
    pub fingerprints: Fingerprints,
    /// x
    pub notes: Vec<Cow<'static, str>>,
}
/// x
pub fn identify(_: &Artifact) -> Identity {
    Identity::default()
}
