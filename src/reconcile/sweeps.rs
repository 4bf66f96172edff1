//! Which sweep judges which path, and which hosts there are.

use super::dates::day;
use super::names::lower_case;
use super::renames;
use crate::model::{
    Gap, HostList, KeyId, Sha256Hex, Sighting, Sweep, SweepEnd, SweepHeader, SweepSummary,
};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

/// What remains of all sweeps once the latest of each place was chosen.
pub(super) struct Judged {
    /// The sweeps that judge something, by host and start.
    pub(super) sweeps: Vec<SweepSummary>,
    /// Their sightings; those of one host follow one another.
    pub(super) lists: Vec<OfHost>,
    /// Their gaps, with host.
    pub(super) gaps: Vec<Gap>,
    /// The hosts.
    pub(super) hosts: Hosts,
    /// Keys in what later sweeps replaced, with the end of the earliest sweep that saw them: proof of their age.
    pub(super) earlier: HashMap<KeyId, Timestamp>,
}

/// What a sweep saw on a host.
pub(super) struct OfHost {
    /// The number of the host.
    pub(super) host: usize,
    /// As the sweep has them.
    pub(super) sightings: Vec<Box<Sighting>>,
}

/// The hosts that were swept.
#[derive(Default)]
pub(super) struct Hosts {
    list: Vec<Host>,
    by_name: foldhash::HashMap<String, usize>,
    /// First labels, with the host where exactly one has it.
    by_label: foldhash::HashMap<String, Option<usize>>,
}

/// One host, as far as it was swept.
pub(super) struct Host {
    /// Its name as the sweep tells it.
    pub(super) name: String,
    /// Earlier names of the same machine.
    pub(super) formerly: Vec<String>,
    /// Digests of the machine ids that its sweeps tell.
    pub(super) machine_ids: BTreeSet<Sha256Hex>,
    /// When its latest sweep began.
    pub(super) last_sweep: jiff::Timestamp,
    /// Whether that is longer ago than is accepted.
    pub(super) is_too_old: bool,
    /// Its roots, each with the sweep that judges it; the latest first.
    roots: Vec<Root>,
    /// When the last of the sweeps that judge it ended: what they saw existed then.
    pub(super) swept: Option<Timestamp>,
    /// Gaps by path, those that judge.
    gaps: BTreeMap<String, Vec<Gap>>,
}

/// A root, and what the sweep that judges it can prove.
struct Root {
    path: String,
    /// Whether the sweep came to its end.
    ended: bool,
    /// When it began, if that is longer ago than is accepted.
    too_old: Option<jiff::Timestamp>,
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
        self.by_name.get(&*lower_case(name)).copied()
    }

    /// The host that a row means: of this name, or the only one whose first label is the same when one of
    /// the two names has no domain.
    pub(super) fn meant(&self, name: &str) -> Option<usize> {
        let name = lower_case(name.trim().trim_end_matches('.'));
        if let Some(&index) = self.by_name.get(&*name) {
            return Some(index);
        }
        let label = name.split('.').next().unwrap_or(&name);
        let index = (*self.by_label.get(label)?)?;
        let bare = !name.contains('.') || !self.get(index)?.name.contains('.');
        bare.then_some(index)
    }

    /// Makes a further name of a host known, unless another host has it.
    pub(super) fn also_called(&mut self, index: usize, name: &str) {
        let name = name.trim().trim_end_matches('.').to_lowercase();
        self.by_name.entry(name).or_insert(index);
    }

    fn add(&mut self, name: &str, header: &SweepHeader, is_too_old: bool) -> usize {
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
            formerly: Vec::new(),
            machine_ids: BTreeSet::new(),
            // The latest sweep of a host comes first.
            last_sweep: header.started,
            is_too_old,
            roots: Vec::new(),
            swept: None,
            gaps: BTreeMap::new(),
        });
        index
    }
}

impl Host {
    /// Why no sweep proves what is not at or below a path, which is shown as given (or, where that is empty, as the whole
    /// host); none when one that came to its end, and is not too old, was given a root at or above it.
    pub(super) fn unreached(&self, path: &str, shown: &str) -> Option<String> {
        let name = &self.name;
        // The latest is judged: a later sweep that was cut off hides an older one.
        match self.roots.iter().find(|root| lies_in(path, &root.path)) {
            Some(Root {
                ended: true,
                too_old: None,
                ..
            }) => None,
            Some(Root {
                ended: true,
                too_old: Some(started),
                ..
            }) => Some(format!(
                "the last sweep of {name} is of {}, which is too old to prove an absence",
                day(*started)
            )),
            _ if shown.is_empty() => Some(format!("{name} was not swept from its root")),
            _ => Some(format!("{name}:{shown} was not completely swept")),
        }
    }

    /// Whether its sweeps prove every absence on it: all came to their end, in time and without a gap, and one began at the root.
    pub(super) fn is_proven(&self) -> bool {
        let proves = |root: &Root| root.ended && root.too_old.is_none();
        self.gaps.is_empty()
            && self.roots.iter().all(proves)
            && self.roots.iter().any(|root| root.path == "/")
    }

    /// The gap at or above a path.
    pub(super) fn gap_at_or_above(&self, path: &str) -> Option<&Gap> {
        if self.gaps.is_empty() {
            return None;
        }
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
            .range::<str, _>((Bound::Included(path), Bound::Unbounded))
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
pub(super) fn tidy(path: &str) -> Cow<'_, str> {
    if path == "/" || is_tidy(path) {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    for component in path.split('/').filter(|c| !c.is_empty() && *c != ".") {
        out.push('/');
        out.push_str(component);
    }
    if out.is_empty() {
        Cow::Borrowed("/")
    } else {
        Cow::Owned(out)
    }
}

/// Whether all parts of an absolute path are more than nothing and a dot.
fn is_tidy(path: &str) -> bool {
    let bytes = path.as_bytes();
    if !bytes.starts_with(b"/") || bytes.ends_with(b"/") {
        return false;
    }
    // Hardly any path has a part that is empty or begins with a dot.
    let next = bytes.get(1..).unwrap_or_default();
    let pairs = bytes.iter().zip(next);
    let is_odd = |(one, next): (&u8, &u8)| (*one == b'/') & ((*next == b'/') | (*next == b'.'));
    !pairs.fold(false, |odd, pair| odd | is_odd(pair))
        || !path.split('/').skip(1).any(|part| matches!(part, "" | "."))
}

/// Chooses, of several sweeps of a host, the latest for each root, and moves its records out. Sweeps that began before
/// `oldest` prove no absence.
pub(super) fn choose(
    mut sweeps: Vec<Sweep>,
    list: Option<&HostList>,
    oldest: Option<jiff::Timestamp>,
) -> Judged {
    let renamed = renames::find(&sweeps, list);
    let name_of = |header: &SweepHeader| -> String {
        let names = header.machine_id.and_then(|id| renamed.get(&id));
        let latest = names.and_then(|names| names.last());
        latest
            .cloned()
            .unwrap_or_else(|| header.host.to_lowercase())
    };
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
        (name_of(header), std::cmp::Reverse(header.started), rest)
    });
    let mut out = Judged {
        sweeps: Vec::new(),
        lists: Vec::new(),
        gaps: Vec::new(),
        hosts: Hosts::default(),
        earlier: HashMap::new(),
    };
    for sweep in sweeps {
        let roots: Vec<String> = sweep
            .header
            .roots
            .iter()
            .map(|root| tidy(root).into_owned())
            .collect();
        let too_old =
            Some(sweep.header.started).filter(|at| oldest.is_some_and(|oldest| *at < oldest));
        // The latest comes first, under the name that the host has now.
        let name = name_of(&sweep.header);
        let name = if name == sweep.header.host.to_lowercase() {
            sweep.header.host.clone()
        } else {
            name
        };
        let index = out.hosts.add(&name, &sweep.header, too_old.is_some());
        let Some(host) = out.hosts.list.get_mut(index) else {
            continue;
        };
        if let Some(id) = sweep.header.machine_id {
            host.machine_ids.insert(id);
            if host.formerly.is_empty()
                && let Some((_, earlier)) = renamed.get(&id).and_then(|names| names.split_last())
            {
                host.formerly = earlier.to_vec();
            }
        }
        let later: Vec<String> = host.roots.iter().map(|root| root.path.clone()).collect();
        let superseded = |path: &str| later.iter().any(|root| lies_in(path, root));
        let seen = sweep
            .end
            .as_ref()
            .map_or(sweep.header.started, |e| e.finished);
        let earlier = |sighting: Box<Sighting>| {
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
                host.roots.push(Root {
                    path: root,
                    ended,
                    too_old,
                });
            }
        }
        for mut gap in sweep.gaps {
            if superseded(&gap.path) {
                continue;
            }
            gap.host = Some(host.name.clone());
            host.gaps
                .entry(tidy(&gap.path).into_owned())
                .or_default()
                .push(gap.clone());
            out.gaps.push(gap);
        }
        let mut sightings = sweep.sightings;
        if !later.is_empty() {
            let is_old = |sighting: &mut Box<Sighting>| superseded(&sighting.location.path);
            sightings.extract_if(.., is_old).for_each(earlier);
        }
        out.lists.push(OfHost {
            host: index,
            sightings,
        });
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
    // Rows may still use an old name, unless another machine has it now.
    for index in 0..out.hosts.list.len() {
        let formerly = out.hosts.list.get(index).map(|host| host.formerly.clone());
        for name in formerly.into_iter().flatten() {
            out.hosts.also_called(index, &name);
        }
    }
    out.gaps.sort();
    out.sweeps.sort_by(|a, b| {
        (&a.header.host, a.header.started, &a.header.roots).cmp(&(
            &b.header.host,
            b.header.started,
            &b.header.roots,
        ))
    });
    out
}
