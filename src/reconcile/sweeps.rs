//! Which sweep judges which path, and which hosts there are.

use crate::model::{Gap, KeyId, Sighting, Sweep, SweepEnd, SweepSummary};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// What remains of all sweeps once the latest of each place was chosen.
pub(super) struct Judged {
    /// The sweeps that judge something, by host and start.
    pub(super) sweeps: Vec<SweepSummary>,
    /// Their sightings, with host, in the order of the contract.
    pub(super) sightings: Vec<Sighting>,
    /// Their gaps, with host.
    pub(super) gaps: Vec<Gap>,
    /// The hosts.
    pub(super) hosts: Hosts,
    /// Keys in what later sweeps replaced, with the end of the earliest sweep that saw them: proof of their age.
    pub(super) earlier: HashMap<KeyId, Timestamp>,
}

/// The hosts that were swept.
#[derive(Default)]
pub(super) struct Hosts {
    list: Vec<Host>,
    by_name: HashMap<String, usize>,
    /// First labels, with the host where exactly one has it.
    by_label: HashMap<String, Option<usize>>,
}

/// One host, as far as it was swept.
pub(super) struct Host {
    /// Its name as the sweep tells it.
    pub(super) name: String,
    /// Root, and whether the sweep that judges it came to its end; the latest first.
    roots: Vec<(String, bool)>,
    /// When the last of the sweeps that judge it ended: what they saw existed then.
    pub(super) swept: Option<Timestamp>,
    /// Gaps by path, those that judge.
    gaps: BTreeMap<String, Vec<Gap>>,
}

impl Hosts {
    /// All hosts, in order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Host> {
        self.list.iter()
    }

    /// A host by number.
    pub(super) fn get(&self, index: usize) -> Option<&Host> {
        self.list.get(index)
    }

    /// The number of the host of a sighting.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    /// The host that a row means: of this name, or the only one whose first label is the same when one of
    /// the two names has no domain.
    pub(super) fn meant(&self, name: &str) -> Option<usize> {
        let name = name.trim().trim_end_matches('.').to_lowercase();
        if let Some(&index) = self.by_name.get(&name) {
            return Some(index);
        }
        let label = name.split('.').next().unwrap_or(&name);
        let index = (*self.by_label.get(label)?)?;
        let bare = !name.contains('.') || !self.get(index)?.name.contains('.');
        bare.then_some(index)
    }

    fn add(&mut self, name: &str) -> usize {
        let key = name.to_lowercase();
        if let Some(&index) = self.by_name.get(&key) {
            return index;
        }
        let index = self.list.len();
        let label = key.split('.').next().unwrap_or(&key).to_owned();
        self.by_label
            .entry(label)
            .and_modify(|one| *one = None)
            .or_insert(Some(index));
        self.by_name.insert(key, index);
        self.list.push(Host {
            name: name.to_owned(),
            roots: Vec::new(),
            swept: None,
            gaps: BTreeMap::new(),
        });
        index
    }
}

impl Host {
    /// Whether a sweep that came to its end was given a root at or above the path.
    pub(super) fn reaches(&self, path: &str) -> bool {
        // The latest is judged: a later sweep that was cut off hides an older one.
        let judge = self.roots.iter().find(|(root, _)| lies_in(path, root));
        judge.is_some_and(|(_, ended)| *ended)
    }

    /// The gap at or above a path.
    pub(super) fn gap_at_or_above(&self, path: &str) -> Option<&Gap> {
        let mut at = path;
        loop {
            let here = self.gaps.get(at).and_then(|gaps| gaps.first());
            if here.is_some() || at == "/" {
                return here;
            }
            at = match at.rsplit_once('/') {
                Some(("", _)) | None => "/",
                Some((parent, _)) => parent,
            };
        }
    }

    /// The gaps at and below a directory.
    pub(super) fn gaps_within<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Gap> {
        // A name that goes on after the directory's, as `/etc/ssl-old` after `/etc/ssl`, sorts between them.
        self.gaps
            .range(path.to_owned()..)
            .take_while(move |(at, _)| at.starts_with(path))
            .filter(move |(at, _)| lies_in(at, path))
            .flat_map(|(_, gaps)| gaps)
    }
}

/// Whether a path is a directory or lies in it.
pub(super) fn lies_in(path: &str, directory: &str) -> bool {
    directory == "/"
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without doubled, trailing or dotted parts.
pub(super) fn tidy(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for component in path.split('/').filter(|c| !c.is_empty() && *c != ".") {
        out.push('/');
        out.push_str(component);
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

/// Chooses, of several sweeps of a host, the latest for each root, and moves its records out.
pub(super) fn choose(mut sweeps: Vec<Sweep>) -> Judged {
    // The latest first; what else the first line says only makes the order independent of the input's.
    sweeps.sort_by_cached_key(|sweep| {
        let header = &sweep.header;
        let end = sweep.end.as_ref().map(|e| (e.finished, e.sha256.clone()));
        let rest = (
            header.roots.clone(),
            std::cmp::Reverse(end),
            sweep.sightings.len(),
            sweep.gaps.len(),
        );
        (
            header.host.to_lowercase(),
            std::cmp::Reverse(header.started),
            rest,
        )
    });
    let mut out = Judged {
        sweeps: Vec::new(),
        sightings: Vec::new(),
        gaps: Vec::new(),
        hosts: Hosts::default(),
        earlier: HashMap::new(),
    };
    for sweep in sweeps {
        let roots: Vec<String> = sweep.header.roots.iter().map(|root| tidy(root)).collect();
        let index = out.hosts.add(&sweep.header.host);
        let Some(host) = out.hosts.list.get_mut(index) else {
            continue;
        };
        let later: Vec<String> = host.roots.iter().map(|(root, _)| root.clone()).collect();
        let superseded = |path: &str| later.iter().any(|root| lies_in(path, root));
        let seen = sweep
            .end
            .as_ref()
            .map_or(sweep.header.started, |e| e.finished);
        let mut earlier = |sighting: Sighting| {
            if let Some(id) = sighting.key_id {
                let first = out.earlier.entry(id).or_insert(seen);
                *first = seen.min(*first);
            }
        };
        if !roots.is_empty() && roots.iter().all(|root| superseded(root)) {
            sweep.sightings.into_iter().for_each(earlier);
            continue;
        }
        host.swept = host.swept.max(Some(seen));
        let ended = sweep.end.is_some();
        for root in roots {
            if !superseded(&root) {
                host.roots.push((root, ended));
            }
        }
        for mut gap in sweep.gaps {
            if superseded(&gap.path) {
                continue;
            }
            gap.host = Some(host.name.clone());
            host.gaps
                .entry(tidy(&gap.path))
                .or_default()
                .push(gap.clone());
            out.gaps.push(gap);
        }
        for mut sighting in sweep.sightings {
            if superseded(&sighting.location.path) {
                earlier(sighting);
            } else {
                sighting.host = Some(host.name.clone());
                out.sightings.push(sighting);
            }
        }
        let without_digest = |end: SweepEnd| SweepEnd {
            sha256: String::new(),
            ..end
        };
        out.sweeps.push(SweepSummary {
            header: sweep.header,
            end: sweep.end.map(without_digest),
        });
    }
    for host in &mut out.hosts.list {
        host.gaps.values_mut().for_each(|gaps| gaps.sort());
    }
    out.gaps.sort();
    out.sightings.sort_by(|a, b| order(a).cmp(&order(b)));
    out.sweeps.sort_by(|a, b| {
        (&a.header.host, a.header.started, &a.header.roots).cmp(&(
            &b.header.host,
            b.header.started,
            &b.header.roots,
        ))
    });
    out
}

/// Host, path bytes, inside, offset, kind (contract, section 4), and then whatever tells two apart.
fn order(s: &Sighting) -> impl Ord + '_ {
    let location = &s.location;
    (
        (
            &s.host,
            &location.path,
            &location.path_bytes,
            &location.inside,
        ),
        (location.offset, location.line, &location.alias, s.kind),
        (
            s.key_id.as_ref(),
            s.fingerprints.cert_sha256,
            &s.format,
            s.class,
        ),
    )
}
