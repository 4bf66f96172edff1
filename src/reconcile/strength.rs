//! `weak`: size, curve, algorithm and signature hash against policy.

use super::context::{Draft, KeyContext, World};
use super::exposure::is_trust_anchor;
use crate::model::{Flag, PasswordList};

/// What policy holds too weak, each reason once.
pub(super) fn judge(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let policy = cx.world.policy;
    let severity = policy.severity(Flag::Weak);
    let algorithm = cx
        .judged()
        .find_map(|s| s.algorithm.as_deref())
        .unwrap_or_default();
    let bits = cx.judged().find_map(|s| s.bits);
    let curve = cx.judged().find_map(|s| s.curve.as_deref());
    let forbidden = policy
        .weak_algorithms
        .iter()
        .any(|w| w.eq_ignore_ascii_case(algorithm));
    let symmetric = cx
        .judged()
        .any(|s| s.kind == crate::model::Kind::SymmetricKey);
    let least = match algorithm {
        _ if symmetric => Some(policy.symmetric_min_bits),
        a if a.starts_with("RSA") => Some(policy.rsa_min_bits),
        "EC" | "ECDSA" | "ECDH" => Some(policy.ec_min_bits),
        _ => None,
    };
    if forbidden {
        let why = format!("{algorithm} keys are no longer considered safe");
        out.push(Draft::new(Flag::Weak, severity, why));
    } else if let (Some(bits), Some(least)) = (bits, least.filter(|&l| bits.is_some_and(|b| b < l)))
    {
        let curve = curve.map(|c| format!(" ({c})")).unwrap_or_default();
        let why =
            format!("{algorithm} key of {bits} bits{curve}; policy asks for {least} at least");
        out.push(Draft::new(Flag::Weak, severity, why));
    }
    let by_default = |s: &crate::model::Sighting| {
        s.opened
            .is_some_and(|opened| opened.list == PasswordList::BuiltIn)
    };
    if let Some((_, s)) = cx.private().find(|(_, s)| by_default(s)) {
        let why = format!(
            "its private half in {} opens with a default password, one that programs and their documents use",
            World::place(s)
        );
        out.push(Draft::new(Flag::Weak, severity, why).place(World::place(s)));
    }
    for (_, certificate) in cx.certificates() {
        let Some(facts) = cx.world.facts(certificate) else {
            continue;
        };
        let trusted = cx.world.at(&certificate.judged).any(is_trust_anchor);
        if facts.self_signed && (facts.is_ca || trusted) {
            continue; // trust in an anchor does not rest on its signature
        }
        let signature: String = facts
            .signature_algorithm
            .to_ascii_lowercase()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        if let Some(hash) = policy
            .weak_hashes
            .iter()
            .find(|hash| names_hash(&signature, hash))
        {
            let why = format!(
                "{} is signed with {} ({})",
                certificate.title(facts),
                hash.to_ascii_uppercase(),
                facts.signature_algorithm
            );
            out.push(Draft::new(Flag::Weak, severity, why).certificate(certificate.sha256));
        }
    }
}

/// Whether a signature algorithm's name has a hash in it (`sha1` is not in `sha128s`, nor `md5` in more).
fn names_hash(signature: &str, hash: &str) -> bool {
    signature.match_indices(hash).any(|(at, _)| {
        let rest = signature.get(at + hash.len()..).unwrap_or_default();
        !rest.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Rough strength in bits (NIST SP 800-57 part 1, table 2), to tell whether a key got weaker.
pub(super) fn security_bits(algorithm: &str, bits: Option<u32>) -> Option<u32> {
    let lower = algorithm.to_ascii_lowercase();
    if lower.contains("25519") {
        return Some(128);
    }
    if lower.contains("448") {
        return Some(224);
    }
    let bits = bits?;
    if lower.contains("rsa") || lower.starts_with("dsa") {
        return Some(match bits {
            0..1024 => 40,
            1024..2048 => 80,
            2048..3072 => 112,
            3072..7680 => 128,
            7680..15360 => 192,
            _ => 256,
        });
    }
    lower.starts_with("ec").then_some(bits / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_in_names() {
        assert!(names_hash("sha1withrsaencryption", "sha1"));
        assert!(names_hash("ecdsawithsha1", "sha1"));
        assert!(!names_hash("slhdsasha128s", "sha1"));
        assert!(names_hash("md5withrsaencryption", "md5"));
    }
}
