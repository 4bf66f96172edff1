//! `weak`: size, curve, algorithm and signature hash against policy.

use super::context::{Draft, KeyContext, World};
use super::exposure::{is_ssh_file, is_trust_anchor};
use super::validity::{only_agrees, only_decrypts};
use crate::model::{Flag, Kind, PasswordList, Sighting};
use crate::policy::Demand;
use crate::policy::approval::plain;
use foldhash::HashMap;
use std::hash::Hash;

/// What policy demands on the day of judgement; looked up once for each algorithm.
pub(super) struct Demands<'w> {
    /// The hashes that are not approved, in plain letters.
    hashes: Vec<(String, Demand)>,
    /// The one of them that a signature algorithm has in its name.
    broken: Asked<&'w str, Option<usize>>,
    /// What is asked of an algorithm and its family, for every use and for SSH.
    keys: Asked<[&'w str; 2], [Option<Demand>; 2]>,
    /// What is asked of a curve.
    curves: Asked<&'w str, Option<Demand>>,
}

/// What was asked before, with the answers. An estate has few algorithms: the first are in a list.
struct Asked<K, V> {
    first: Vec<(K, V)>,
    all: HashMap<K, V>,
}

impl<K, V> Default for Asked<K, V> {
    fn default() -> Self {
        Self {
            first: Vec::new(),
            all: HashMap::default(),
        }
    }
}

impl<K: Copy + Eq + Hash, V: Copy> Asked<K, V> {
    /// How many are looked through one by one.
    const FIRST: usize = 8;

    fn get(&mut self, key: K, answer: impl FnOnce() -> V) -> V {
        if let Some((_, known)) = self.first.iter().find(|(known, _)| *known == key) {
            return *known;
        }
        if self.first.len() < Self::FIRST {
            let answer = answer();
            self.first.push((key, answer));
            return answer;
        }
        *self.all.entry(key).or_insert_with(answer)
    }
}

impl<'w> Demands<'w> {
    pub(super) fn new(world: &World<'_>) -> Self {
        let hashes = world.policy.approvals.hashes.forbidden(world.today);
        Self {
            hashes: hashes.map(|(name, demand)| (plain(name), demand)).collect(),
            broken: Asked::default(),
            keys: Asked::default(),
            curves: Asked::default(),
        }
    }

    /// The hash of a signature that is not approved.
    fn broken(&mut self, algorithm: &'w str) -> Option<&(String, Demand)> {
        let hashes = &self.hashes;
        let number = self.broken.get(algorithm, || {
            let signature = plain(algorithm);
            hashes
                .iter()
                .position(|(hash, _)| names_hash(&signature, hash))
        });
        hashes.get(number?)
    }

    fn of_key(&mut self, world: &World<'_>, names: [&'w str; 2]) -> [Option<Demand>; 2] {
        let approvals = &world.policy.approvals;
        let asked = || [&approvals.keys, &approvals.ssh].map(|of| of.demand(&names, world.today));
        self.keys.get(names, asked)
    }

    fn of_curve(&mut self, world: &World<'_>, curve: &'w str) -> Option<Demand> {
        let asked = || world.policy.approvals.curves.demand(&[curve], world.today);
        self.curves.get(curve, asked)
    }
}

/// What policy holds too weak, each reason once.
pub(super) fn judge<'w>(cx: &KeyContext<'w, '_>, demands: &mut Demands<'w>, out: &mut Vec<Draft>) {
    let severity = cx.world.policy.severity(Flag::Weak);
    out.extend(key(cx, demands).map(|why| Draft::new(Flag::Weak, severity, why)));
    let by_default = |s: &Sighting| {
        s.opened()
            .is_some_and(|opened| opened.list == PasswordList::BuiltIn)
    };
    let mut opened = cx.private().filter(|_| cx.overview.is_rare(cx.index));
    if let Some((_, s)) = opened.find(|(_, s)| by_default(s)) {
        let why = format!(
            "its private half in {} opens with a default password, one that programs and their documents use",
            World::place(s)
        );
        out.push(Draft::new(Flag::Weak, severity, why).place(World::place(s).to_string()));
    }
    for (_, certificate) in cx.certificates() {
        let Some(facts) = cx.world.facts(certificate) else {
            continue;
        };
        let trusted = || cx.world.at(&certificate.judged).any(is_trust_anchor);
        if facts.self_signed && (facts.is_ca || trusted()) {
            continue; // trust in an anchor does not rest on its signature
        }
        if let Some((hash, demand)) = demands.broken(&facts.signature_algorithm) {
            let why = format!(
                "{} is signed with {} ({}), which policy does not approve{}",
                certificate.title(facts),
                hash.to_ascii_uppercase(),
                facts.signature_algorithm,
                since(*demand)
            );
            out.push(Draft::new(Flag::Weak, severity, why).certificate(certificate.sha256));
        }
    }
}

/// Why the key itself is below policy: its algorithm, curve or size, first for every use, then for SSH, then against a
/// quantum computer.
fn key<'w>(cx: &KeyContext<'w, '_>, demands: &mut Demands<'w>) -> Option<String> {
    let algorithm = cx.judged().find_map(|s| s.algorithm.as_deref())?;
    let bits = cx.judged().find_map(|s| s.bits);
    let curve = cx.judged().find_map(|s| s.curve.as_deref());
    let symmetric = cx.overview.has(cx.index, Kind::SymmetricKey)
        && cx.judged().any(|s| s.kind == Kind::SymmetricKey);
    let family = match algorithm {
        _ if symmetric => "symmetric",
        a if a.starts_with("RSA") => "RSA",
        "EC" | "ECDSA" | "ECDH" => "EC",
        a => a,
    };
    let names = [algorithm, family];
    let shown = || curve.map(|c| format!(" ({c})")).unwrap_or_default();
    let below = |demand: Demand, use_: &str| {
        if !demand.approved {
            return Some(format!(
                "{algorithm} keys are not approved{use_}{}",
                since(demand)
            ));
        }
        let (bits, least) = (bits?, demand.min_bits?);
        (bits < least).then(|| {
            format!(
                "{algorithm} key of {bits} bits{}; policy asks for {least} at least{use_}{}",
                shown(),
                since(demand)
            )
        })
    };
    let [every_use, in_ssh] = demands.of_key(cx.world, names);
    let of_curve = || {
        let curve = curve?;
        let demand = demands.of_curve(cx.world, curve)?;
        (!demand.approved).then(|| format!("curve {curve} is not approved{}", since(demand)))
    };
    let of_ssh = || below(in_ssh?, " for SSH").filter(|_| cx.judged().any(is_of_ssh));
    every_use
        .and_then(|demand| below(demand, ""))
        .or_else(of_curve)
        .or_else(of_ssh)
        .or_else(|| quantum(cx, algorithm).filter(|_| !symmetric))
}

/// Why a key does not withstand a quantum computer although policy asks for it already.
fn quantum(cx: &KeyContext<'_, '_>, algorithm: &str) -> Option<String> {
    let demands = &cx.world.policy.approvals.post_quantum;
    if demands.encryption_from.is_none() && demands.signature_from.is_none() {
        return None;
    }
    let mut facts = cx
        .certificates()
        .filter_map(|(_, c)| cx.world.facts(c))
        .peekable();
    let encrypts =
        cx.judged().any(only_agrees) || (facts.peek().is_some() && facts.all(only_decrypts));
    let (from, what) = if encrypts {
        (demands.encryption_from?, "encrypts or agrees on keys")
    } else {
        (demands.signature_from?, "signs or authenticates")
    };
    (from <= cx.world.today && !withstands(algorithm)).then(|| {
        format!(
            "{algorithm} does not withstand a quantum computer; policy asks for that since {from} of every key that {what}"
        )
    })
}

/// FIPS 203, 204 and 205, the stateful hashes of SP 800-208, and hybrids with one of them.
fn withstands(algorithm: &str) -> bool {
    let name = plain(algorithm);
    [
        "mlkem",
        "mldsa",
        "slhdsa",
        "falcon",
        "fndsa",
        "lms",
        "hss",
        "xmss",
        "sntrup",
        "kyber",
        "dilithium",
        "sphincs",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn is_of_ssh(s: &Sighting) -> bool {
    matches!(
        s.kind,
        Kind::AuthorizedKey | Kind::KnownHost | Kind::SshCertificate
    ) || is_ssh_file(s)
}

/// ` since 2031-01-01`, where something else held before.
fn since(demand: Demand) -> String {
    demand
        .since
        .map(|day| format!(" since {day}"))
        .unwrap_or_default()
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
