//! What a certificate, a request or a revocation list says.

use super::moment;
use super::shared_text::SharedText;
use serde::{Deserialize, Serialize};

/// The fields of an X.509 certificate (RFC 5280) or request (RFC 2986) that judgement needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject, RFC 4514 text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Issuer, RFC 4514 text.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub issuer: SharedText,
    /// Serial number, lower-case hexadecimal of whole bytes without leading zero bytes (`-` before a negative one).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub serial: String,
    /// Start of validity.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "end_of_time")]
    pub not_before: Option<jiff::Timestamp>,
    /// End of validity; for a CRL, nextUpdate.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "end_of_time")]
    pub not_after: Option<jiff::Timestamp>,
    /// Subject alternative names: `DNS:…`, `IP:…`, `email:…`, `URI:…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<String>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_usage: Vec<SharedText>,
    /// Extended key usages by name, or dotted OID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended_key_usage: Vec<SharedText>,
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

/// What an OpenSSH line, key file or certificate says beside the key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssh {
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The options of an `authorized_keys` line, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    /// `cert-authority` or `revoked`, from an option or a `known_hosts` marker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Host patterns of a `known_hosts` line (a hashed one as written).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Principals of a certificate, or of a `principals=` option.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
    /// `user` or `host`, of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_type: Option<String>,
    /// Key identity string of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_key_id: Option<String>,
    /// Serial of a certificate, decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Start of validity of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub valid_after: Option<jiff::Timestamp>,
    /// End of validity of a certificate, or the `expiry-time` of a grant.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub valid_before: Option<jiff::Timestamp>,
    /// `SHA256:…` fingerprint of the key that signed a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Critical options and extensions of a certificate, as `name` or `name=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// The directive of the host's sshd_config that names the file: `AuthorizedKeysFile`, `TrustedUserCAKeys` or
    /// `RevokedKeys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directive: Option<String>,
    /// Whether sshd reads the file, by its configuration; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_by_sshd: Option<bool>,
    /// The accounts of the host that a grant opens: of a file that sshd does not read, the account in whose home it lies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opens: Vec<Opens>,
    /// How many more accounts it opens than are told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub opens_more: u64,
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One account that a grant, or a certificate of a trusted authority, opens on the host where it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opens {
    /// Its name in the host's own `/etc/passwd`.
    pub account: String,
    /// Its number there.
    pub uid: u32,
    /// Its shell lets nobody in; forwarding may be possible all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_shell: bool,
    /// The directive by which sshd refuses it: `PermitRootLogin no`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Of an authority: a certificate must name one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
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
