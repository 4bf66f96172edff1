//! Numbers, names and places as people read them.

use crate::model::{Excuse, Finding, KeyReport, Report, Sighting};

/// The place that says most about a finding: of the certificate that it rests on, else of private material.
pub(super) fn place(key: &KeyReport, flag: &Finding) -> String {
    // A key is judged over the sightings of its class.
    let seen = || key.sightings.iter().map(AsRef::as_ref);
    let judged = || seen().filter(|s: &&Sighting| s.class == key.class);
    let of_certificate = |s: &&Sighting| {
        flag.cert_sha256.is_some() && s.fingerprints.cert_sha256() == flag.certificate()
    };
    let best = judged()
        .find(of_certificate)
        .or_else(|| judged().find(|s| s.kind.is_private()))
        .or_else(|| judged().find(|s| !s.kind.is_reference()))
        .or_else(|| judged().next());
    best.map(|s| {
        format!(
            "{}:{}",
            s.host.as_deref().unwrap_or_default(),
            s.location.path
        )
    })
    .unwrap_or_default()
}

/// `RSA 2048`, `Ed25519`.
pub(super) fn key_words(algorithm: Option<&str>, bits: Option<u32>) -> String {
    match (algorithm, bits) {
        (Some(name @ ("RSA" | "DSA" | "EC" | "RSASSA-PSS")), Some(bits)) => {
            format!("{name} {bits}")
        }
        (Some(name), _) => name.to_owned(),
        (None, _) => "of unknown algorithm".to_owned(),
    }
}

/// A number with its noun.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Never a rate without its numbers.
pub(super) fn share(part: u64, whole: u64) -> String {
    match part.saturating_mul(100).checked_div(whole) {
        Some(percent) => format!("{part} of {whole} ({percent} %)"),
        None => format!("{part} of {whole}"),
    }
}

/// Bytes in decimal units.
pub(super) fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// How many findings are excused, and how many exceptions do not hold; none without exceptions.
pub(super) fn excused_line(report: &Report) -> Option<String> {
    let numbers = report.summary.metrics.get("exceptions")?;
    let number = |name: &str| numbers.get(name).and_then(serde_json::Value::as_u64);
    Some(format!(
        "{} of these excused; {} of {} invalid",
        number("findings")?,
        number("invalid")?,
        count(number("total")?, "exception", "exceptions"),
    ))
}

/// The exception that excuses a finding, in a sentence.
pub(super) fn excused(excuse: &Excuse) -> String {
    format!(
        "excused until {} by {} ({}): {}; asked for by {}, approved by {}",
        excuse.until,
        excuse.ticket,
        excuse.source,
        excuse.reason,
        excuse.requester,
        excuse.approver
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(human_bytes(999), "999 B");
        assert_eq!(human_bytes(1_704), "1.7 kB");
        assert_eq!(human_bytes(999_999), "999.9 kB");
        assert_eq!(human_bytes(3_350_000_000), "3.3 GB");
        assert_eq!(share(1, 3), "1 of 3 (33 %)");
        assert_eq!(share(0, 0), "0 of 0");
        assert_eq!(key_words(Some("RSA"), Some(2048)), "RSA 2048");
        assert_eq!(key_words(Some("Ed25519"), Some(256)), "Ed25519");
    }
}
