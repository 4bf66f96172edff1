//! What an OpenSSH line, key file or certificate says.

use super::moment;
use super::shared_text::SharedText;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an OpenSSH line, key file or certificate says beside the key.
///
/// There may be millions: what few of them have is in memory of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ssh {
    /// The comment.
    pub comment: Option<SharedText>,
    /// The options of an `authorized_keys` line, as written.
    pub options: Option<SharedText>,
    /// Host patterns of a `known_hosts` line (a hashed one as written).
    pub hosts: Box<[Box<str>]>,
    /// The accounts of the host that a grant opens: of a file that sshd does not read, the account in whose home it lies.
    pub opens: Box<[Opens]>,
    /// Whether sshd reads the file, by its configuration; absent where that is not known.
    pub read_by_sshd: Option<bool>,
    /// What few have; absent if this has none of it.
    pub rare: Option<Box<RareSsh>>,
}

/// What few OpenSSH lines have, and what certificates say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RareSsh {
    /// `cert-authority` or `revoked`, from an option or a `known_hosts` marker.
    pub marker: Option<String>,
    /// Principals of a certificate, or of a `principals=` option.
    pub principals: Vec<String>,
    /// `user` or `host`, of a certificate.
    pub certificate_type: Option<String>,
    /// Key identity string of a certificate.
    pub certificate_key_id: Option<String>,
    /// Serial of a certificate, decimal.
    pub serial: Option<String>,
    /// Start of validity of a certificate.
    pub valid_after: Option<jiff::Timestamp>,
    /// End of validity of a certificate, or the `expiry-time` of a grant.
    pub valid_before: Option<jiff::Timestamp>,
    /// `SHA256:…` fingerprint of the key that signed a certificate.
    pub signed_by: Option<String>,
    /// Critical options and extensions of a certificate, as `name` or `name=value`.
    pub extensions: Vec<String>,
    /// The directive of the host's sshd_config that names the file: `AuthorizedKeysFile`, `TrustedUserCAKeys` or
    /// `RevokedKeys`.
    pub directive: Option<String>,
    /// How many more accounts it opens than are told.
    pub opens_more: u64,
}

/// One account that a grant, or a certificate of a trusted authority, opens on the host where it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opens {
    /// Its name in the host's own `/etc/passwd`.
    pub account: SharedText,
    /// Its number there.
    pub uid: u32,
    /// Its shell lets nobody in; forwarding may be possible all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_shell: bool,
    /// The directive by which sshd refuses it: `PermitRootLogin no`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<SharedText>,
    /// Of an authority: a certificate must name one of these.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub principals: Box<[String]>,
}

static NOTHING_RARE: RareSsh = RareSsh::new();

impl RareSsh {
    const fn new() -> Self {
        Self {
            marker: None,
            principals: Vec::new(),
            certificate_type: None,
            certificate_key_id: None,
            serial: None,
            valid_after: None,
            valid_before: None,
            signed_by: None,
            extensions: Vec::new(),
            directive: None,
            opens_more: 0,
        }
    }

    fn boxed(self) -> Option<Box<Self>> {
        (self != NOTHING_RARE).then(|| Box::new(self))
    }
}

impl Default for RareSsh {
    fn default() -> Self {
        Self::new()
    }
}

impl Ssh {
    /// What few have.
    pub fn rare(&self) -> &RareSsh {
        self.rare.as_deref().unwrap_or(&NOTHING_RARE)
    }

    /// Changes what few have.
    pub fn change(&mut self, change: impl FnOnce(&mut RareSsh)) {
        let mut rare = self.rare.take().map_or_else(RareSsh::new, |rare| *rare);
        change(&mut rare);
        self.rare = rare.boxed();
    }
}

impl From<RareSsh> for Ssh {
    fn from(rare: RareSsh) -> Self {
        Self {
            rare: rare.boxed(),
            ..Self::default()
        }
    }
}

/// The members of the record, in their order.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    comment: Option<SharedText>,
    options: Option<SharedText>,
    marker: Option<String>,
    hosts: Box<[Box<str>]>,
    principals: Vec<String>,
    certificate_type: Option<String>,
    certificate_key_id: Option<String>,
    serial: Option<String>,
    #[serde(with = "moment")]
    valid_after: Option<jiff::Timestamp>,
    #[serde(with = "moment")]
    valid_before: Option<jiff::Timestamp>,
    signed_by: Option<String>,
    extensions: Vec<String>,
    directive: Option<String>,
    read_by_sshd: Option<bool>,
    opens: Box<[Opens]>,
    opens_more: u64,
}

impl<'de> Deserialize<'de> for Ssh {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = Record::deserialize(deserializer)?;
        let rare = RareSsh {
            marker: record.marker,
            principals: record.principals,
            certificate_type: record.certificate_type,
            certificate_key_id: record.certificate_key_id,
            serial: record.serial,
            valid_after: record.valid_after,
            valid_before: record.valid_before,
            signed_by: record.signed_by,
            extensions: record.extensions,
            directive: record.directive,
            opens_more: record.opens_more,
        };
        Ok(Self {
            comment: record.comment,
            options: record.options,
            hosts: record.hosts,
            opens: record.opens,
            read_by_sshd: record.read_by_sshd,
            rare: rare.boxed(),
        })
    }
}

impl Serialize for Ssh {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // At most; what is absent is left out.
        let mut out = serializer.serialize_struct("Ssh", 16)?;
        macro_rules! optional {
            ($name:literal, $value:expr) => {
                match $value {
                    Some(value) => out.serialize_field($name, value)?,
                    None => out.skip_field($name)?,
                }
            };
        }
        macro_rules! list {
            ($name:literal, $value:expr) => {
                if $value.is_empty() {
                    out.skip_field($name)?;
                } else {
                    out.serialize_field($name, &$value)?;
                }
            };
        }
        let rare = self.rare();
        optional!("comment", &self.comment);
        optional!("options", &self.options);
        optional!("marker", &rare.marker);
        list!("hosts", self.hosts);
        list!("principals", rare.principals);
        optional!("certificate_type", &rare.certificate_type);
        optional!("certificate_key_id", &rare.certificate_key_id);
        optional!("serial", &rare.serial);
        optional!("valid_after", &rare.valid_after.map(moment::Written));
        optional!("valid_before", &rare.valid_before.map(moment::Written));
        optional!("signed_by", &rare.signed_by);
        list!("extensions", rare.extensions);
        optional!("directive", &rare.directive);
        optional!("read_by_sshd", &self.read_by_sshd);
        list!("opens", self.opens);
        optional!(
            "opens_more",
            (rare.opens_more > 0).then_some(&rare.opens_more)
        );
        out.end()
    }
}
