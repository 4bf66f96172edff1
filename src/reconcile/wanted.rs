//! Keys as an exception names them: by key id, by a fingerprint in any usual spelling, or by a row.

use super::context::World;
use super::few::Few;
use crate::model::{Finding, KeyReport, Kind, Sha256Hex, Sighting};

/// A key as an exception names it, in the spellings that can occur.
pub(super) struct Wanted {
    pub(super) exact: String,
    /// Hexadecimal digits alone, lower case.
    digits: Option<String>,
    /// Base64 of an SSH fingerprint or a JWK thumbprint, without its label and padding.
    base64: String,
}

/// By what a key was named.
pub(super) enum Match {
    Key,
    /// A certificate of it: findings on others are not meant.
    Certificate(Option<Sha256Hex>),
    /// A row: of a key with several, findings on the others are not meant.
    Row(String),
}

impl Match {
    pub(super) fn fits(&self, finding: &Finding) -> bool {
        match self {
            Self::Key => true,
            Self::Certificate(digest) => finding.certificate().is_none_or(|d| Some(d) == *digest),
            Self::Row(id) => finding.entry.as_deref().is_none_or(|e| e == id),
        }
    }
}

impl Wanted {
    pub(super) fn new(text: &str) -> Self {
        let exact = text.trim().to_owned();
        // openssl writes `SHA256 Fingerprint=…`; at its end the sign is base64's padding.
        let unpadded = exact.trim_end_matches('=');
        let bare = unpadded
            .rsplit_once('=')
            .map_or(unpadded, |(_, value)| value);
        let lower = bare.to_ascii_lowercase();
        let labels = [
            "spki-sha256:",
            "sha256:",
            "sha-256:",
            "sha1:",
            "sha-1:",
            "md5:",
            "0x",
        ];
        let lower = labels
            .iter()
            .find_map(|label| lower.strip_prefix(label))
            .unwrap_or(&lower)
            .trim()
            .to_owned();
        let digits: String = lower
            .chars()
            .filter(|c| !matches!(c, ':' | ' ' | '-'))
            .collect();
        // Whole fingerprints only: a few digits are nobody's name.
        let is_hex = digits.len() >= 32 && digits.chars().all(|c| c.is_ascii_hexdigit());
        Self {
            base64: bare.trim_start_matches("SHA256:").to_owned(),
            digits: is_hex.then_some(digits),
            exact,
        }
    }

    pub(super) fn of_key(
        &self,
        world: &World<'_>,
        sightings: &Few,
        report: &KeyReport,
    ) -> Option<Match> {
        if self.exact.is_empty() {
            return None;
        }
        let id = report.key_id.to_string();
        let digest = id.rsplit_once(':').map_or("", |(_, digest)| digest);
        if id == self.exact || self.digits.as_deref() == Some(digest) {
            return Some(Match::Key);
        }
        let row = |finding: &Finding| finding.entry.as_deref() == Some(&self.exact);
        if report.entries.iter().any(|id| *id == self.exact) || report.flags.iter().any(row) {
            return Some(Match::Row(self.exact.clone()));
        }
        world.at(sightings).find_map(|s| self.of_sighting(s))
    }

    fn of_sighting(&self, s: &Sighting) -> Option<Match> {
        let prints = &s.fingerprints;
        if prints
            .jwk_thumbprint()
            .is_some_and(|d| d.to_string() == self.base64)
        {
            return Some(Match::Key);
        }
        let ssh = prints
            .ssh_sha256()
            .map(|d| d.to_string())
            .unwrap_or_default();
        if !ssh.is_empty() && ssh.trim_start_matches("SHA256:").trim_end_matches('=') == self.base64
        {
            return Some(Match::Key);
        }
        let digits = self.digits.as_deref()?;
        let same = |text: Option<String>| {
            text.is_some_and(|t| t.to_ascii_lowercase().replace([':', ' '], "") == digits)
        };
        let of_certificate = s.kind == Kind::Certificate
            && (same(prints.cert_sha256().map(|d| d.to_string()))
                || same(prints.cert_sha1().map(|d| d.to_string()))
                || same(prints.cert_md5().map(|d| d.to_string())));
        if of_certificate {
            return Some(Match::Certificate(prints.cert_sha256()));
        }
        let ssh_md5 = prints
            .ssh_md5()
            .map(|d| d.to_string().trim_start_matches("MD5:").to_owned());
        let of_key = same(prints.spki_sha256().map(|d| d.to_string()))
            || same(prints.keygrip().map(|d| d.to_string()))
            || same(prints.pgp_fingerprint().map(str::to_owned))
            || same(ssh_md5);
        of_key.then_some(Match::Key)
    }
}
