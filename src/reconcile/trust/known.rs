//! Names in `known_hosts` that a swept host contradicts: the host of that name has other keys.

use super::super::context::{Draft, World};
use super::super::exposure::is_host_key_file;
use super::super::glob::Glob;
use super::super::names::lower_case;
use super::super::overview::Overview;
use crate::model::{Class, Flag, Kind, Severity, Sighting};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use foldhash::{HashMap, HashSet};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use std::collections::{BTreeMap, BTreeSet};

/// How often a hashed name or a pattern is held against a host in all: what is beyond stays unjudged.
const TRIES: usize = 4_000_000;
/// Hosts that one reason names.
const NAMED: usize = 5;

/// What SSH negotiates a host key by: algorithm and curve.
type Sort<'w> = (&'w str, Option<&'w str>);

/// The host keys of the swept hosts that lines name.
struct HostKeys<'w> {
    /// By host: the sorts of its keys.
    sorts: HashMap<usize, HashSet<Sort<'w>>>,
    /// Every key that a host has, in whatever file but `known_hosts`, of those that lines give it.
    held: HashSet<(usize, usize)>,
    /// Whether all of a host's `/etc/ssh` was read.
    complete: HashSet<usize>,
}

/// One line that names a swept host.
struct Claim<'w> {
    key: usize,
    host: usize,
    /// Only the first label of a name agrees.
    loose: bool,
    revoked: bool,
    sort: Option<Sort<'w>>,
}

/// The findings on keys, by key, and how many names of lines stayed unjudged.
pub(in super::super) fn contradictions(
    world: &World<'_>,
    overview: &Overview,
) -> (BTreeMap<usize, Vec<Draft>>, u64) {
    let mut files: BTreeMap<(usize, &str), Vec<Claim<'_>>> = BTreeMap::new();
    let mut names = Names::new(world);
    for index in overview.keys_with(Kind::KnownHost) {
        let key = world.keys.get(index).into_iter();
        let lines = key.flat_map(|key| key.all.iter());
        for number in lines.filter(|&n| overview.kind(n) == Some(Kind::KnownHost)) {
            let Some(s) = world.sightings.get(number) else {
                continue;
            };
            let file = (world.host(number), s.location.path.as_str());
            for (host, loose) in names.named_by(s) {
                let marker = s.ssh.as_ref().and_then(|ssh| ssh.rare().marker.as_deref());
                files.entry(file).or_default().push(Claim {
                    key: index,
                    host,
                    loose,
                    revoked: marker == Some("revoked"),
                    sort: sort_of(s),
                });
            }
        }
    }
    let keys = host_keys(world, overview, files.values().flatten());
    let mut found: BTreeMap<usize, Vec<Draft>> = BTreeMap::new();
    for ((client, path), claims) in files {
        let client = world.hosts.get(client).map_or("?", |h| h.name.as_str());
        for (key, (severity, why)) in judge_file(world, &keys, &claims) {
            let place = format!("{client}:{path}");
            let severity = world.policy.graded(Flag::Mismatch, severity);
            let draft = Draft::new(Flag::Mismatch, severity, format!("{place} {why}"));
            found.entry(key).or_default().push(draft.place(place));
        }
    }
    (found, names.unjudged)
}

/// What one file says against the hosts, by key.
fn judge_file(
    world: &World<'_>,
    keys: &HostKeys<'_>,
    claims: &[Claim<'_>],
) -> BTreeMap<usize, (Severity, String)> {
    // A stale line beside the right one of the same sort does no harm: the client takes either.
    let right: HashSet<(usize, Option<Sort<'_>>)> = claims
        .iter()
        .filter(|c| !c.revoked && keys.held.contains(&(c.host, c.key)))
        .map(|c| (c.host, c.sort))
        .collect();
    let mut wrong: BTreeMap<(usize, bool), (Severity, BTreeSet<&str>)> = BTreeMap::new();
    for claim in claims {
        let held = keys.held.contains(&(claim.host, claim.key));
        let sorts = keys.sorts.get(&claim.host);
        let of_sort = claim
            .sort
            .is_some_and(|sort| sorts.is_some_and(|all| all.contains(&sort)));
        let contradicted = if claim.revoked {
            held
        } else {
            let other = of_sort || (sorts.is_some() && keys.complete.contains(&claim.host));
            !held && other && !right.contains(&(claim.host, claim.sort))
        };
        let Some(host) = world.hosts.get(claim.host).filter(|_| contradicted) else {
            continue;
        };
        let severity = if claim.loose || !(of_sort || claim.revoked) {
            Severity::Low
        } else {
            Severity::Medium
        };
        let slot = wrong
            .entry((claim.key, claim.revoked))
            .or_insert_with(|| (severity, BTreeSet::new()));
        slot.0 = slot.0.max(severity);
        slot.1.insert(&host.name);
    }
    let mut found: BTreeMap<usize, (Severity, String)> = BTreeMap::new();
    for ((key, revoked), (severity, hosts)) in wrong {
        let shown: Vec<&str> = hosts.iter().copied().take(NAMED).collect();
        let more = match hosts.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let list = format!("{}{more}", shown.join(", "));
        let why = if revoked {
            format!("marks it as revoked, and {list} still has it")
        } else {
            format!("knows {list} by this key, and the sweep of that host has other host keys")
        };
        let slot = found.entry(key).or_insert((severity, String::new()));
        if !slot.1.is_empty() {
            slot.1.push_str("; ");
        }
        slot.0 = slot.0.max(severity);
        slot.1.push_str(&why);
    }
    found
}

fn sort_of(s: &Sighting) -> Option<Sort<'_>> {
    Some((s.algorithm.as_deref()?, s.curve.as_deref()))
}

/// Looks at the hosts and keys that lines name, and no others.
fn host_keys<'w, 'c>(
    world: &'w World<'_>,
    overview: &Overview,
    claims: impl Iterator<Item = &'c Claim<'c>>,
) -> HostKeys<'w> {
    let mut keys = HostKeys {
        sorts: HashMap::default(),
        held: HashSet::default(),
        complete: HashSet::default(),
    };
    let mut claimed = vec![false; world.hosts.iter().count()];
    let mut of_keys: Vec<usize> = Vec::new();
    for claim in claims {
        of_keys.push(claim.key);
        if let Some(slot) = claimed.get_mut(claim.host) {
            *slot = true;
        }
    }
    of_keys.sort_unstable();
    of_keys.dedup();
    for index in of_keys {
        let key = world.keys.get(index).into_iter();
        let numbers = key.flat_map(|key| key.all.iter());
        let others = numbers.filter(|&n| overview.kind(n) != Some(Kind::KnownHost));
        let hosts = others.map(|n| world.host(n));
        keys.held.extend(hosts.map(|host| (host, index)));
    }
    let mut end = 0;
    for of_host in world.host_of.chunk_by(|one, next| one == next) {
        let start = end;
        end += of_host.len();
        let host = world.host(start);
        if claimed.get(host) != Some(&true) {
            continue;
        }
        let all = world.sightings.get(start..end).unwrap_or_default();
        for sort in beneath(all, SSHD).filter(|s| is_host_key(s) && s.key_id.is_some()) {
            keys.sorts.entry(host).or_default().extend(sort_of(sort));
        }
    }
    let claimed = claimed.iter().enumerate().filter(|(_, claimed)| **claimed);
    for (number, host) in claimed.filter_map(|(n, _)| Some((n, world.hosts.get(n)?))) {
        let mut gaps = host.gaps_within("/etc/ssh");
        let broken = gaps.any(|gap| gap.reason.makes_incomplete());
        if host.unreached("/etc/ssh", "/etc/ssh").is_none()
            && !broken
            && host.gap_at_or_above("/etc").is_none()
        {
            keys.complete.insert(number);
        }
    }
    keys
}

/// Where sshd takes its keys from.
const SSHD: &str = "/etc/ssh/";

/// The sightings of one host, in order of their paths, that lie in a directory.
fn beneath<'s>(
    all: &'s [Box<Sighting>],
    directory: &'static str,
) -> impl Iterator<Item = &'s Sighting> {
    let start = all.partition_point(|s| s.location.path.as_str() < directory);
    let rest = all.get(start..).unwrap_or_default().iter();
    rest.map(AsRef::as_ref)
        .take_while(move |s| s.location.path.starts_with(directory))
}

/// Whether a sighting is a host key where sshd takes it from, or its public half.
pub(in super::super) fn is_host_key(s: &Sighting) -> bool {
    matches!(s.kind, Kind::PrivateKey | Kind::PublicKey)
        && s.location.inside().is_empty()
        && s.location.path.starts_with(SSHD)
        && is_host_key_file(s)
}

/// Which swept hosts a line of `known_hosts` names.
struct Names<'w, 'a> {
    world: &'w World<'a>,
    /// All names of all hosts, lower case, with whether only a label agrees.
    all: Vec<(String, usize, bool)>,
    tries: usize,
    /// Names beyond them.
    unjudged: u64,
}

impl<'w, 'a> Names<'w, 'a> {
    fn new(world: &'w World<'a>) -> Self {
        let mut all = Vec::new();
        for (number, host) in world.hosts.iter().enumerate() {
            let name = host.name.to_lowercase();
            if let Some((label, _)) = name.split_once('.')
                && world.hosts.meant(label) == Some(number)
            {
                all.push((label.to_owned(), number, true));
            }
            all.push((name, number, false));
        }
        Self {
            world,
            all,
            tries: TRIES,
            unjudged: 0,
        }
    }

    /// Hosts with whether only the first label of the name agrees.
    fn named_by(&mut self, s: &Sighting) -> Vec<(usize, bool)> {
        let Some(ssh) = s.ssh.as_deref() else {
            return Vec::new();
        };
        // An authority stands for every host that it signs for.
        if s.kind != Kind::KnownHost
            || s.class != Class::Own
            || ssh.rare().marker.as_deref() == Some("cert-authority")
        {
            return Vec::new();
        }
        if let [only] = &*ssh.hosts
            && !only.starts_with('!')
        {
            let mut found = self.matching(only);
            // Of one host the exact name, where a label agrees too.
            found.sort_unstable();
            found.dedup_by_key(|(host, _)| *host);
            return found;
        }
        let mut found: BTreeMap<usize, bool> = BTreeMap::new();
        let mut forbidden: BTreeSet<usize> = BTreeSet::new();
        for pattern in &ssh.hosts {
            let (forbids, pattern) = match pattern.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, &**pattern),
            };
            for (host, loose) in self.matching(pattern) {
                if forbids {
                    forbidden.insert(host);
                } else {
                    let slot = found.entry(host).or_insert(loose);
                    *slot &= loose;
                }
            }
        }
        found.retain(|host, _| !forbidden.contains(host));
        found.into_iter().collect()
    }

    fn matching(&mut self, pattern: &str) -> Vec<(usize, bool)> {
        if let Some(hashed) = pattern.strip_prefix("|1|") {
            return self.hashed(hashed);
        }
        let lower = lower_case(pattern);
        // Another port is another server.
        let name = match lower.strip_prefix('[').and_then(|p| p.split_once(']')) {
            Some((name, "" | ":22")) => name,
            Some(_) => return Vec::new(),
            None => &*lower,
        };
        if name.contains(['*', '?']) {
            let glob = Glob::read(name);
            return self.tried(|name| glob.matches(name));
        }
        let exact = self.world.hosts.number(name).map(|host| (host, false));
        let meant = || self.world.hosts.meant(name).map(|host| (host, true));
        exact.or_else(meant).into_iter().collect()
    }

    /// `salt|hash`: HMAC-SHA1 of the name under the salt (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
    fn hashed(&mut self, text: &str) -> Vec<(usize, bool)> {
        let parts = || {
            let (salt, hash) = text.split_once('|')?;
            Some((STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?))
        };
        let Some((salt, hash)) = parts() else {
            return Vec::new();
        };
        let Ok(keyed) = Hmac::<Sha1>::new_from_slice(&salt) else {
            return Vec::new();
        };
        self.tried(|name| {
            let mut mac = keyed.clone();
            mac.update(name.as_bytes());
            mac.finalize().into_bytes().as_slice() == hash
        })
    }

    fn tried(&mut self, fits: impl Fn(&str) -> bool) -> Vec<(usize, bool)> {
        if self.tries < self.all.len() {
            self.unjudged += 1;
            return Vec::new();
        }
        self.tries -= self.all.len();
        let names = self.all.iter().filter(|(name, ..)| fits(name));
        names.map(|(_, host, loose)| (*host, *loose)).collect()
    }
}
