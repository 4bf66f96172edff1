//! Which part of a report an id names.

use super::Explained;
use crate::model::{EntryReport, KeyReport, Report, Sighting, SshAccess};

/// Finds what an id names: a key id, a finding id, a fingerprint in any usual spelling, a path with or without
/// its host, a host, an entry id or name.
pub fn find<'a>(report: &'a Report, id: &str) -> Explained<'a> {
    let wanted = Wanted::new(id);
    let mut found = Explained {
        keys: report.keys.iter().filter(|key| wanted.key(key)).collect(),
        others: report
            .others
            .iter()
            .map(AsRef::as_ref)
            .filter(|s| wanted.sighting(s))
            .collect(),
        entries: Vec::new(),
        exceptions: report
            .policy
            .iter()
            .flat_map(|policy| &policy.flags)
            .filter(|finding| finding.id == *wanted.exact)
            .collect(),
        access: Vec::new(),
    };
    found.entries = report
        .entries
        .iter()
        .filter(|entry| {
            let of_key = |key: &&KeyReport| {
                key.entries.contains(&entry.id)
                    || key
                        .flags
                        .iter()
                        .any(|f| f.entry.as_ref() == Some(&entry.id))
            };
            wanted.entry(entry) || found.keys.iter().any(of_key)
        })
        .collect();
    // An entry leads to its keys.
    let direct: Vec<&EntryReport> = report.entries.iter().filter(|e| wanted.entry(e)).collect();
    for key in &report.keys {
        let linked = direct.iter().any(|entry| {
            entry.keys.contains(&key.key_id)
                || key
                    .flags
                    .iter()
                    .any(|f| f.entry.as_ref() == Some(&entry.id))
        });
        if linked && !found.keys.iter().any(|known| known.key_id == key.key_id) {
            found.keys.push(key);
        }
    }
    let named = |access: &&SshAccess| found.keys.iter().any(|k| k.key_id == access.key_id);
    found.access = report.access.iter().filter(named).collect();
    found
}

/// What is looked for, in the spellings that can occur.
struct Wanted {
    exact: String,
    /// Hexadecimal digits alone, lower case, of at least 8.
    digits: Option<String>,
    base64: String,
}

impl Wanted {
    fn new(id: &str) -> Self {
        let exact = id.trim().to_owned();
        // openssl writes `SHA256 Fingerprint=…`; at its end the sign is base64's padding.
        let unpadded = exact.trim_end_matches('=');
        let bare = unpadded
            .rsplit_once('=')
            .map_or(unpadded, |(_, value)| value);
        let lower = bare.to_ascii_lowercase();
        let lower = ["sha256:", "sha1:", "md5:", "sha-256:", "sha-1:", "0x"]
            .iter()
            .find_map(|prefix| lower.strip_prefix(prefix))
            .unwrap_or(&lower)
            .to_owned();
        let digits: String = lower
            .chars()
            .filter(|c| !matches!(c, ':' | ' ' | '-'))
            .collect();
        let is_hex = digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
        Self {
            base64: bare.trim_start_matches("SHA256:").to_owned(),
            digits: is_hex.then_some(digits),
            exact,
        }
    }

    fn key(&self, key: &KeyReport) -> bool {
        let id = key.key_id.to_string();
        let digest = id.rsplit_once(':').map_or("", |(_, digest)| digest);
        id == self.exact
            || self.is_digest(digest)
            || key.flags.iter().any(|flag| flag.id == *self.exact)
            || key.sightings.iter().any(|sighting| self.sighting(sighting))
    }

    fn is_digest(&self, digest: &str) -> bool {
        self.digits
            .as_ref()
            .is_some_and(|digits| digest.to_ascii_lowercase().starts_with(digits.as_str()))
    }

    fn sighting(&self, sighting: &Sighting) -> bool {
        let prints = &sighting.fingerprints;
        let digests = [
            prints.spki_sha256().map(|d| d.to_string()),
            prints.cert_sha256().map(|d| d.to_string()),
            prints.cert_sha1().map(|d| d.to_string()),
            prints.cert_md5().map(|d| d.to_string()),
            prints.keygrip().map(|d| d.to_string()),
            prints.ski().map(str::to_owned),
            prints.pgp_fingerprint().map(str::to_owned),
            prints.pgp_keyid().map(str::to_owned),
            prints.pkcs11_id().map(str::to_owned),
            prints
                .ssh_md5()
                .map(|d| d.to_string().trim_start_matches("MD5:").replace(':', "")),
            sighting.certificate.as_ref().map(|c| c.serial.to_string()),
        ];
        let ssh = prints
            .ssh_sha256()
            .map(|d| d.to_string())
            .unwrap_or_default();
        digests
            .iter()
            .flatten()
            .any(|digest| self.is_digest(digest))
            || (!ssh.is_empty() && ssh.trim_start_matches("SHA256:") == self.base64)
            || prints
                .jwk_thumbprint()
                .is_some_and(|d| d.to_string() == self.exact)
            || self.place(sighting)
    }

    fn place(&self, sighting: &Sighting) -> bool {
        let host = sighting.host.as_deref().unwrap_or_default();
        let location = &sighting.location;
        self.exact == host
            || std::iter::once(&location.path)
                .chain(location.links())
                .chain(location.hard_links())
                .any(|path| {
                    *path == self.exact
                        || self
                            .exact
                            .split_once(':')
                            .is_some_and(|(h, p)| h == host && *path == *p)
                })
    }

    fn entry(&self, entry: &EntryReport) -> bool {
        entry.id == self.exact
            || entry.source.to_string() == self.exact
            || entry.name.as_deref().is_some_and(|name| name == self.exact)
            || entry.flags.iter().any(|flag| flag.id == *self.exact)
    }
}
