//! Trust stores, and the certificates that the distribution itself ships for them.
//!
//! A trust store is a place that TLS libraries read their anchors from. Most of these files are made on the host
//! (`update-ca-certificates`, `update-ca-trust`), so no package vouches for them; the certificates in them are
//! compared, one by one, with those in files that a package does vouch for.

use super::digest::DigestKind;
use super::index::Standing;
use super::rooted::Rooted;
use super::vendor::Vendor;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// Where packages put the certificates that bundles are made from. The last two are a bundle that is shipped ready.
const SHIPPED: &[&[u8]] = &[
    b"/usr/share/ca-certificates",
    b"/usr/share/pki",
    b"/usr/share/ca-certs",
    b"/etc/ssl/certs",
    b"/etc/pki/tls/certs",
];

/// Directories whose files are trust stores.
const STORES: &[&[u8]] = &[
    b"/etc/ssl/certs/",
    b"/etc/pki/ca-trust/",
    b"/etc/pki/tls/certs/",
    b"/etc/pki/java/",
    b"/etc/pki/nssdb/",
    b"/etc/ca-certificates/",
    b"/var/lib/ca-certificates/",
    b"/usr/share/ca-certificates/",
    b"/usr/local/share/ca-certificates/",
    b"/usr/share/pki/",
    b"/usr/lib/ssl/certs/",
    b"/usr/local/ssl/certs/",
    b"/etc/openssl/certs/",
];

/// Names that trust stores have wherever they lie (Java's, curl's, OpenSSL's and the distributions' own).
const NAMES: &[&[u8]] = &[
    b"cacerts",
    b"jssecacerts",
    b"ca-certificates.crt",
    b"ca-bundle.crt",
    b"ca-bundle.pem",
    b"ca-bundle.trust.crt",
    b"tls-ca-bundle.pem",
    b"cacert.pem",
    b"curl-ca-bundle.crt",
];

/// Exact paths of further trust stores.
const FILES: &[&[u8]] = &[
    b"/etc/ssl/cert.pem",
    b"/etc/ssl/ca-bundle.pem",
    b"/usr/lib/ssl/cert.pem",
];

/// The greatest file that is read for shipped certificates; all of Mozilla's are about 250 kB.
const FILE_LIMIT: u64 = 8 << 20;
const MOST_NAMES: usize = 10_000;
const MOST_DEPTH: usize = 4;

/// Whether a path is that of a trust store, by place or by name.
pub(super) fn is_trust_store(path: &[u8]) -> bool {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    STORES.iter().any(|store| path.starts_with(store))
        || FILES.contains(&path)
        || NAMES.contains(&name)
}

/// SHA-256 of the certificates that packages of the host ship for trust stores.
#[derive(Debug, Default)]
pub(super) struct Anchors(BTreeSet<[u8; 32]>);

impl Anchors {
    pub(super) fn load(rooted: &Rooted, vendor: &Vendor) -> Self {
        let mut anchors = Self::default();
        for directory in SHIPPED {
            anchors.collect(rooted, vendor, directory, 0);
        }
        anchors
    }

    pub(super) fn contains(&self, cert_sha256: &[u8; 32]) -> bool {
        self.0.contains(cert_sha256)
    }

    fn collect(&mut self, rooted: &Rooted, vendor: &Vendor, directory: &[u8], depth: usize) {
        for name in rooted.names(directory, MOST_NAMES).unwrap_or_default() {
            let path = [directory, b"/", name.0.as_slice()].concat();
            let Some(stat) = rooted.stat(&path) else {
                continue;
            };
            match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
                rustix::fs::FileType::Directory if depth < MOST_DEPTH => {
                    self.collect(rooted, vendor, &path, depth.saturating_add(1));
                }
                rustix::fs::FileType::RegularFile => self.file(rooted, vendor, &path),
                _ => {}
            }
        }
    }

    /// Takes the certificates of a file that a package vouches for.
    fn file(&mut self, rooted: &Rooted, vendor: &Vendor, path: &[u8]) {
        let Some(content) = rooted.read(path, FILE_LIMIT) else {
            return;
        };
        let mut digest = |kind: DigestKind| {
            let size = u64::try_from(content.len()).ok()?;
            kind.of(content.as_slice(), size).ok()
        };
        if let Some(Standing::Proven(_)) = vendor.look(path, &mut digest) {
            self.0
                .extend(certificates(&content).map(|der| <[u8; 32]>::from(Sha256::digest(der))));
        }
    }
}

/// The DER of each certificate in PEM text. Files of p11-kit (`*.trust.p11-kit`) have such blocks between their
/// other lines, which a reader of whole PEM files would stumble over.
fn certificates(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let begins = memchr::memmem::find_iter(text, BEGIN).collect::<Vec<_>>();
    begins.into_iter().filter_map(|begin| {
        let body = text.get(begin.checked_add(BEGIN.len())?..)?;
        let body = body.get(..memchr::memmem::find(body, END)?)?;
        let digits: Vec<u8> = body
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        base64::engine::general_purpose::STANDARD
            .decode(digits)
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_by_place_and_name() {
        for path in [
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "/opt/app/jre/lib/security/cacerts",
            "/etc/ssl/cert.pem",
            "/usr/local/share/ca-certificates/corp.crt",
        ] {
            assert!(is_trust_store(path.as_bytes()), "{path}");
        }
        for path in [
            "/etc/ssl/private/a.key",
            "/etc/nginx/cert.pem",
            "/home/a/mycacerts",
            "cacerts2",
        ] {
            assert!(!is_trust_store(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn blocks_between_other_lines() {
        let text = b"[p11-kit-object-v1]\n-----BEGIN CERTIFICATE-----\nMAMC\r\nAQE=\n-----END CERTIFICATE-----\n\
            x: 1\n-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAA";
        assert_eq!(
            certificates(text).collect::<Vec<_>>(),
            [vec![0x30, 3, 2, 1, 1]]
        );
    }
}
