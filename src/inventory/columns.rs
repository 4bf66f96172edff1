//! Which header names mean which field: the table, in words that people write.
//!
//! Names are compared without case, blanks and punctuation, so `Key ID`, `key_id`, `keyId` and `KEY-ID` are one.
//! The first list of a field holds names that can hardly mean another thing; the second those that are taken only where
//! no column has a better name.

use super::heading::compact;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A field of an entry that a column can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    Id,
    Name,
    Type,
    Purpose,
    Owner,
    Custodians,
    Created,
    LastRotated,
    RotationPeriod,
    NotBefore,
    Expires,
    State,
    Criticality,
    Environment,
    Location,
    Host,
    Path,
    Fingerprint,
    KeyId,
    CertFingerprint,
    CertSha1,
    CertSha256,
    SpkiSha256,
    Certificate,
    PublicKey,
    Md5,
    SshFingerprint,
    IssuerSerial,
    Serial,
    Ski,
    JwkThumbprint,
    PgpFingerprint,
    PgpKeyId,
    Keygrip,
    Pkcs11Id,
    Subject,
    Issuer,
    Sans,
    Algorithm,
    Bits,
    AllowedHosts,
}

/// How well a header names its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A name that may mean something else elsewhere.
    Weak,
    /// A name of this field.
    Strong,
    /// A profile says so.
    Profile,
    /// The user said so.
    Mapped,
}

struct Meaning {
    field: Field,
    name: &'static str,
    strong: &'static [&'static str],
    weak: &'static [&'static str],
}

const fn means(
    field: Field,
    name: &'static str,
    strong: &'static [&'static str],
    weak: &'static [&'static str],
) -> Meaning {
    Meaning {
        field,
        name,
        strong,
        weak,
    }
}

#[rustfmt::skip]
const TABLE: &[Meaning] = &[
    means(Field::Id, "id",
        &["id", "key id", "asset id", "entry id", "record id", "inventory id", "item id", "certificate id", "key identifier"],
        &["identifier", "unique id", "uuid", "guid", "reference", "ref", "record", "asset", "asset number", "asset tag",
          "number", "no", "nr", "kid", "key ref", "ci", "ticket"]),
    means(Field::Name, "name",
        &["name", "key name", "certificate name", "display name", "common name", "cn"],
        &["friendly name", "alias", "key alias", "label", "title", "subject cn", "subject common name", "asset name"]),
    means(Field::Type, "type",
        &["type", "kind", "asset type", "object type", "entry type", "item type", "record type"],
        &["key type", "certificate type", "cert type", "category", "class", "object class"]),
    means(Field::Purpose, "purpose",
        &["purpose", "usage", "key usage", "key purpose", "intended use", "used for", "use"],
        &["description", "function", "application", "service", "use case"]),
    means(Field::Owner, "owner",
        &["owner", "key owner", "asset owner", "owner name", "owned by", "certificate owner"],
        &["owner email", "owner mail", "owner id", "owner upn", "owner address", "technical owner", "business owner", "responsible",
          "responsible person", "responsible party", "responsible team", "contact", "contact email", "contact name", "assigned to",
          "assignee", "accountable", "steward", "team", "owner team", "owning team", "owner group", "technical contact",
          "administrator", "admin", "requester"]),
    means(Field::Custodians, "custodians",
        &["custodian", "custodians", "key custodian", "key custodians", "co-owners", "holders", "key holders"],
        &["backup owner", "secondary owner", "deputy", "shared with", "additional owners", "delegates"]),
    means(Field::Created, "created",
        &["created", "created at", "created on", "created date", "creation date", "creation time", "creation", "date created", "create date",
          "generated", "generated at", "generated on", "generation date", "date generated", "key created", "key creation date"],
        &["added", "date added", "registered", "registration date", "issued", "issued at", "issued on", "issue date", "issuance date",
          "date issued", "create time", "creation timestamp", "activation date", "activated"]),
    means(Field::LastRotated, "last_rotated",
        &["last rotated", "last rotation", "last rotated at", "last rotated on", "last rotated date", "last rotation date", "rotated", "rotated at",
          "rotated on", "rotation date", "date rotated", "last rotate date"],
        &["last renewed", "last renewal", "renewed", "renewed on", "last replaced", "last changed key", "last rekey", "last rekeyed"]),
    means(Field::RotationPeriod, "rotation_period",
        &["rotation period", "rotation interval", "rotate every", "rotation frequency", "rotation", "crypto period",
          "rotation cycle", "rotation schedule", "rotation policy", "key lifetime", "rotation days"],
        &["period", "frequency", "renewal period", "renewal interval", "rotation age", "max age", "lifetime", "validity period"]),
    means(Field::NotBefore, "not_before",
        &["not before", "valid from", "validity start", "start date", "effective date", "valid not before", "validity not before"],
        &["from", "starts", "nbf", "start", "effective from"]),
    means(Field::Expires, "expires",
        &["expires", "expires on", "expires at", "expiry", "expiry date", "expiration", "expiration date", "expiration time", "not after",
          "valid to", "valid until", "valid till", "valid through", "validity end", "expire date", "expires date", "date of expiry", "valid not after", "validity not after"],
        &["end date", "until", "exp", "to", "end of life", "validity", "expired on", "expire", "cryptoperiod end", "ends"]),
    means(Field::State, "state",
        &["state", "status", "key state", "key status", "lifecycle", "lifecycle state", "lifecycle status", "certificate status",
          "cert status", "lifecycle stage", "lifecycle phase"],
        &["enabled", "active", "is active", "is enabled", "condition"]),
    means(Field::Criticality, "criticality",
        &["criticality", "critical", "business criticality", "importance", "severity", "impact"],
        &["priority", "risk", "risk level", "classification", "tier", "sensitivity"]),
    means(Field::Environment, "environment",
        &["environment", "env", "stage", "environments", "deployment environment"],
        &["landscape", "zone", "realm"]),
    means(Field::Location, "location",
        &["location", "locations", "key location", "key locations", "stored at", "stored in", "storage location", "storage", "place", "places",
          "allowed locations", "deployed at", "deployed to", "installed at", "installed on", "certificate location"],
        &["where", "uri", ]),
    means(Field::Host, "host",
        &["host", "hosts", "hostname", "hostnames", "server", "servers", "server name", "machine", "machines", "node", "nodes", "fqdn"],
        &["system", "device", "devices", "computer", "vm"]),
    means(Field::Path, "path",
        &["path", "paths", "file", "files", "file path", "file paths", "filename", "full path", "key path", "key file",
          "certificate path", "certificate file", "private key path", "private key file", "keystore path", "keystore file"],
        &["directory", "folder"]),
    means(Field::Fingerprint, "fingerprint",
        &["fingerprint", "fingerprints", "key fingerprint", "public key fingerprint", "sha256", "sha256 fingerprint", "fingerprint sha256",
          "fingerprints sha256", "sha256 hash", "sha256 digest", "sha256 thumbprint", "thumbprint sha256", "hash", "digest",
          "identifiers", "key hash", "fingerprint value", "sha2 fingerprint"],
        &["checksum", "print"]),
    means(Field::KeyId, "key_id",
        &["keymuster key id", "keymuster id", "canonical key id"],
        &[]),
    means(Field::CertFingerprint, "cert_fingerprint",
        &["thumbprint", "thumbprints", "certificate fingerprint", "certificate thumbprint", "cert fingerprint", "cert thumbprint", "certificate hash",
          "cert hash", "x509 thumbprint", "x509 thumbprint hex", "x509 fingerprint"],
        &[]),
    means(Field::CertSha1, "cert_sha1",
        &["sha1", "sha1 fingerprint", "fingerprint sha1", "fingerprints sha1", "sha1 thumbprint", "thumbprint sha1", "sha1 hash", "sha1 digest", "cert sha1",
          "certificate sha1", "certificate sha1 fingerprint", "cert sha1 fingerprint", "certificate fingerprint sha1", "cert fingerprint sha1",
          "certificate thumbprint sha1", "x5t"],
        &[]),
    means(Field::CertSha256, "cert_sha256",
        &["cert sha256", "certificate sha256", "certificate sha256 fingerprint", "cert sha256 fingerprint", "certificate fingerprint sha256",
          "cert fingerprint sha256", "certificate thumbprint sha256", "certificate sha256 thumbprint", "x5t s256", "certificate sha256 hash"],
        &[]),
    means(Field::SpkiSha256, "spki_sha256",
        &["spki sha256", "sha256 spki", "spki", "spki hash", "spki fingerprint", "spki fingerprint sha256", "spki pin", "pin sha256", "public key hash",
          "public key sha256", "public key sha256 fingerprint", "public key pin", "public key fingerprint sha256", "subject public key info sha256",
          "subject public key hash", "hpkp pin", "pubkey hash", "pubkey sha256"],
        &[]),
    means(Field::Certificate, "certificate",
        &["certificate pem", "pem certificate", "cert pem", "pem", "certificate body", "certificate content", "certificate data",
          "x509 certificate", "base64 certificate", "base64 cert", "certificate base64", "binary certificate", "raw certificate",
          "certificate chain", "pem data", "encoded certificate", "content bytes"],
        &["certificate", "cert", "crt", "tls crt"]),
    means(Field::PublicKey, "public_key",
        &["public key", "ssh public key", "ssh public key body", "public key body", "public key pem", "pubkey", "openssh public key"],
        &[]),
    means(Field::Md5, "md5",
        &["md5", "md5 fingerprint", "fingerprint md5", "fingerprints md5", "md5 hash", "md5 digest", "certificate md5", "cert md5"],
        &[]),
    means(Field::SshFingerprint, "ssh_fingerprint",
        &["ssh fingerprint", "ssh key fingerprint", "ssh sha256", "ssh md5", "ssh hash", "ssh fingerprint sha256", "ssh fingerprint md5",
          "openssh fingerprint", "host key fingerprint", "ssh sha256 fingerprint"],
        &[]),
    means(Field::IssuerSerial, "issuer_serial",
        &["issuer serial", "issuer and serial", "issuer and serial number", "serial and issuer", "issuer serial number"],
        &[]),
    means(Field::Serial, "serial",
        &["serial", "serial number", "serial no", "certificate serial", "certificate serial number", "cert serial", "cert serial number", ],
        &["sn", "serial nr"]),
    means(Field::Ski, "ski",
        &["ski", "subject key identifier", "subject key id", "x509 subject key identifier", "certificate ski"],
        &[]),
    means(Field::JwkThumbprint, "jwk_thumbprint",
        &["jwk thumbprint", "jkt", "jwk sha256 thumbprint", "rfc7638 thumbprint", "jwk thumbprint sha256"],
        &[]),
    means(Field::PgpFingerprint, "pgp_fingerprint",
        &["pgp fingerprint", "gpg fingerprint", "openpgp fingerprint", "pgp key fingerprint", "gpg key fingerprint", "pgp", "gpg key", "pgp key"],
        &[]),
    means(Field::PgpKeyId, "pgp_keyid",
        &["pgp key id", "gpg key id", "openpgp key id", "pgp long key id", "long key id"],
        &[]),
    means(Field::Keygrip, "keygrip", &["keygrip", "gpg keygrip", ], &[]),
    means(Field::Pkcs11Id, "pkcs11_id",
        &["pkcs11 id", "cka id", "pkcs11 object id", "hsm object id", "token object id"],
        &[]),
    means(Field::Subject, "subject",
        &["subject", "subject dn", "subject name", "distinguished name", "dn", "certificate subject", "issued to"],
        &[]),
    means(Field::Issuer, "issuer",
        &["issuer", "issuer dn", "issuer name", "issued by", "issuing ca", "certificate issuer"],
        &["ca", "certificate authority", "certification authority", "issuer cn", "issuer common name", "ca name"]),
    means(Field::Sans, "sans",
        &["san", "sans", "subject alternative name", "subject alternative names", "subject alt name", "subject alt names", "alternative names",
          "alt names", "dns names", "san list"],
        &["domains", "domain", "dns", "dns name", "domain name", "domain names"]),
    means(Field::Algorithm, "algorithm",
        &["algorithm", "key algorithm", "public key algorithm", "alg", "algo", "cipher", "crypto algorithm", "cryptographic algorithm",
          "encryption algorithm", "algorithm name", "key alg"],
        &["key spec", "kty", "curve"]),
    means(Field::Bits, "bits",
        &["bits", "key size", "key length", "size", "length", "bit length", "key bits", "key strength", "modulus size", "public key size",
          "public key length", "size bits", ],
        &["strength"]),
    means(Field::AllowedHosts, "allowed_hosts",
        &["allowed hosts", "max hosts", "maximum hosts", "host limit", "host count", "number of hosts", "shared on", "allowed copies", "max copies"],
        &["copies", "instances", "shared hosts"]),
];

static BY_NAME: LazyLock<HashMap<String, (Field, Rank)>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for meaning in TABLE {
        for weak in meaning.weak {
            names.insert(compact(weak), (meaning.field, Rank::Weak));
        }
    }
    for meaning in TABLE {
        for strong in meaning.strong {
            names.insert(compact(strong), (meaning.field, Rank::Strong));
        }
        // The contract's own name of a field always means it, `key_id` excepted, which registers use for their own id.
        names
            .entry(compact(meaning.name))
            .or_insert((meaning.field, Rank::Strong));
    }
    names
});

/// The field that a name means, in compact form.
pub(super) fn lookup(compact_name: &str) -> Option<(Field, Rank)> {
    BY_NAME.get(compact_name).copied()
}

impl Field {
    /// The name used by `--map` and in [`Inventory::columns`](crate::model::Inventory::columns).
    pub(super) fn name(self) -> &'static str {
        TABLE
            .iter()
            .find(|m| m.field == self)
            .map_or("", |m| m.name)
    }

    /// The field of that name, as written on a command line.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let wanted = compact(name);
        TABLE
            .iter()
            .find(|m| compact(m.name) == wanted)
            .map(|m| m.field)
    }

    /// All names, in the order of the table.
    pub(super) fn names() -> Vec<&'static str> {
        TABLE.iter().map(|m| m.name).collect()
    }

    /// Whether several columns of this field add up, instead of the best one being taken.
    pub(super) const fn adds_up(self) -> bool {
        self.is_identifier() || self.is_place()
    }

    /// Whether its cells hold places.
    pub(super) const fn is_place(self) -> bool {
        matches!(self, Self::Location | Self::Host | Self::Path)
    }

    /// Whether its cells hold what a key is recognised by.
    pub(super) const fn is_identifier(self) -> bool {
        matches!(
            self,
            Self::Fingerprint
                | Self::KeyId
                | Self::CertFingerprint
                | Self::CertSha1
                | Self::CertSha256
                | Self::SpkiSha256
                | Self::Certificate
                | Self::PublicKey
                | Self::Md5
                | Self::SshFingerprint
                | Self::IssuerSerial
                | Self::Serial
                | Self::Ski
                | Self::JwkThumbprint
                | Self::PgpFingerprint
                | Self::PgpKeyId
                | Self::Keygrip
                | Self::Pkcs11Id
        )
    }

    /// Whether its cells hold dates.
    pub(super) const fn is_date(self) -> bool {
        matches!(
            self,
            Self::Created | Self::LastRotated | Self::NotBefore | Self::Expires
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_fields_and_every_field_has_one_name() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for meaning in TABLE {
            for name in meaning.strong.iter().chain(meaning.weak) {
                let other = seen.insert(compact(name), meaning.name);
                assert!(
                    other.is_none(),
                    "{name:?} stands in {other:?} and {}",
                    meaning.name
                );
            }
            assert_eq!(Field::from_name(meaning.name), Some(meaning.field));
        }
        assert!(TABLE.len() >= 39, "a field is lacking in the table");
    }
}
