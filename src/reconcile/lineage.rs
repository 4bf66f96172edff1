//! Names that change with each renewal, and the one name that stays.
//!
//! Some programs keep every generation in a file of its own and point a link at the newest. What they keep is one
//! lineage: the old generation is not elsewhere, and the new one is no stranger.

use super::context::{directory, file_name};
use std::borrow::Cow;

/// The path by which all generations of a file are known, where its name is of a kind that changes with each:
///
/// - certbot: `archive/NAME/cert7.pem` is `live/NAME/cert.pem`;
/// - the certificate store of Kubernetes' client library, which kubelet uses: `kubelet-client-2026-11-01-08-30-00.pem`
///   is `kubelet-client-current.pem`;
/// - Kubernetes' atomic writer (volumes of secrets, cert-manager): `tls/..2026_11_01_08_30_00.123/tls.crt` and
///   `tls/..data/tls.crt` are `tls/tls.crt`.
pub(super) fn settled(path: &str) -> Option<String> {
    if path.ends_with(".pem")
        && let Some(kept) = certbot(path).or_else(|| client_store(path))
    {
        return Some(kept);
    }
    atomic_writer(path)
}

/// The same, and the path itself where it does not change.
pub(super) fn settled_or_same(path: &str) -> Cow<'_, str> {
    settled(path).map_or(Cow::Borrowed(path), Cow::Owned)
}

fn certbot(path: &str) -> Option<String> {
    let stem = file_name(path).strip_suffix(".pem")?;
    let name = directory(path);
    let holder = directory(name);
    let kept = match file_name(holder) {
        "archive" => stem.trim_end_matches(|c: char| c.is_ascii_digit()),
        "live" => stem,
        _ => return None,
    };
    let generations = matches!(kept, "cert" | "chain" | "fullchain" | "privkey");
    let numbered = kept.len() < stem.len() || file_name(holder) == "live";
    (generations && numbered)
        .then(|| format!("{}/live/{}/{kept}.pem", directory(holder), file_name(name)))
}

fn client_store(path: &str) -> Option<String> {
    let stem = file_name(path).strip_suffix(".pem")?;
    let prefix = match stem.strip_suffix("-current") {
        Some(prefix) => prefix,
        None => {
            // `-2026-11-01-08-30-00`
            let at = stem.len().checked_sub(20)?;
            let (prefix, time) = (stem.get(..at)?, stem.get(at..)?);
            let shaped = time.bytes().enumerate().all(|(n, b)| match n {
                0 | 5 | 8 | 11 | 14 | 17 => b == b'-',
                _ => b.is_ascii_digit(),
            });
            shaped.then_some(prefix)?
        }
    };
    (!prefix.is_empty()).then(|| format!("{}/{prefix}-current.pem", directory(path)))
}

/// Whether a part of a path may begin with two dots.
fn has_dotted_part(path: &[u8]) -> bool {
    let from = |start: usize| path.get(start..).unwrap_or_default();
    let triples = path.iter().zip(from(1)).zip(from(2));
    triples.fold(false, |found, ((one, next), last)| {
        found | ((*one == b'/') & (*next == b'.') & (*last == b'.'))
    })
}

fn atomic_writer(path: &str) -> Option<String> {
    let changes = |part: &str| {
        part == "..data"
            || part.strip_prefix("..").is_some_and(|rest| {
                rest.starts_with("20")
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.'))
            })
    };
    if !has_dotted_part(path.as_bytes()) || !path.split('/').any(changes) {
        return None;
    }
    let kept: Vec<&str> = path.split('/').filter(|part| !changes(part)).collect();
    Some(kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_have_one_name() {
        for (path, name) in [
            (
                "/etc/letsencrypt/archive/a.example/cert12.pem",
                "/etc/letsencrypt/live/a.example/cert.pem",
            ),
            (
                "/etc/letsencrypt/live/a.example-0001/privkey.pem",
                "/etc/letsencrypt/live/a.example-0001/privkey.pem",
            ),
            (
                "/var/lib/kubelet/pki/kubelet-client-2026-11-01-08-30-00.pem",
                "/var/lib/kubelet/pki/kubelet-client-current.pem",
            ),
            (
                "/var/lib/kubelet/pki/kubelet-client-current.pem",
                "/var/lib/kubelet/pki/kubelet-client-current.pem",
            ),
            (
                "/var/lib/kubelet/pods/u/volumes/tls/..2026_11_01_08_30_00.123456789/tls.crt",
                "/var/lib/kubelet/pods/u/volumes/tls/tls.crt",
            ),
            ("/tls/..data/tls.crt", "/tls/tls.crt"),
        ] {
            assert_eq!(settled(path).as_deref(), Some(name), "{path}");
        }
    }

    #[test]
    fn other_names_stay() {
        for path in [
            "/etc/ssl/certs/shop.crt",
            "/srv/archive/a/cert.pem",
            "/srv/archive/a/notes1.pem",
            "/srv/archive/a/cert1.crt",
            "/etc/live/cert.pem",
            "/etc/a-2026-11-01.pem",
            "/etc/-current.pem",
            "/etc/-2026-11-01-08-30-00.pem",
            "/etc/..hidden/tls.crt",
            "/etc/..2/tls.crt",
            "",
        ] {
            assert_eq!(settled(path), None, "{path}");
        }
    }
}
