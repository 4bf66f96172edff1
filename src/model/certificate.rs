//! What a certificate, a request or a revocation list says.

use super::moment;
use super::shared_text::SharedText;
use serde::{Deserialize, Serialize};

/// The fields of an X.509 certificate (RFC 5280) or request (RFC 2986) that judgement needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject, RFC 4514 text.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub subject: Box<str>,
    /// Issuer, RFC 4514 text.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub issuer: SharedText,
    /// Serial number, lower-case hexadecimal of whole bytes without leading zero bytes (`-` before a negative one).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub serial: Box<str>,
    /// Start of validity.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "end_of_time")]
    pub not_before: Option<jiff::Timestamp>,
    /// End of validity; for a CRL, nextUpdate.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "end_of_time")]
    pub not_after: Option<jiff::Timestamp>,
    /// Subject alternative names: `DNS:…`, `IP:…`, `email:…`, `URI:…`.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub sans: Box<[String]>,
    /// Basic constraints name it a CA.
    #[serde(default)]
    pub is_ca: bool,
    /// Subject and issuer are equal and the key identifiers do not contradict.
    #[serde(default)]
    pub self_signed: bool,
    /// Signature algorithm by its usual name, as `sha256WithRSAEncryption`.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub signature_algorithm: SharedText,
    /// Key usage bits by their RFC 5280 names.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub key_usage: Box<[SharedText]>,
    /// Extended key usages by name, or dotted OID.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub extended_key_usage: Box<[SharedText]>,
    /// A precertificate of Certificate Transparency (RFC 6962, section 3.1): proof for the logs, and never in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub precertificate: bool,
    /// Whether it is in force, replaced or only history; set by reconciliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CertificateStatus>,
}

/// Where a certificate stands among those of its key and names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStatus {
    /// In force as far as was seen.
    Current,
    /// A newer one with the same key, or the same subject, names and issuer, was seen there or recorded.
    Superseded,
    /// Only in history, a deleted layer or an archive; or a precertificate, which was never in force.
    Historic,
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}

/// RFC 5280, section 4.1.2.5 gives a certificate with no end the date 9999-12-31T23:59:59Z, which lies behind the
/// last moment that the time library holds: that moment stands for it, and records show the date as it is meant.
mod end_of_time {
    use super::moment;
    use jiff::Timestamp;
    use serde::{Deserializer, Serializer, de};

    const NO_END: &str = "9999-12-31T23:59:59Z";

    pub(super) fn serialize<S: Serializer>(
        moment: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) if moment.as_second() == Timestamp::MAX.as_second() => {
                serializer.serialize_some(NO_END)
            }
            moment => moment::serialize(moment, serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        moment::deserialize_by(deserializer, |text| match text {
            NO_END => Ok(Timestamp::MAX),
            text => moment::read(text).map_err(de::Error::custom),
        })
    }
}
