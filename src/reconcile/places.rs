//! The places of a row: what they allow, and whether absence can be judged there.

use super::context::{Row, World, paths};
use super::few::{long, short};
use super::glob::Glob;
use super::join::Join;
use super::lineage::{settled, settled_or_same};
use super::overview::Overview;
use super::sweeps::{Host, Hosts, lies_in, tidy};
use crate::model::{EntryKind, EntryPlace, Gap, GapReason, ShortList, Sighting};
use arcstr::ArcStr;
use foldhash::HashSet;
use foldhash::fast::RandomState;
use std::borrow::Cow;
use std::fmt;
use std::hash::BuildHasher as _;

/// The host that a place names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostRef<'a> {
    /// None: any host.
    Any,
    /// One that was swept, by number.
    Swept(u32),
    /// One that was not.
    Unswept(&'a ArcStr),
}

/// A place of a row, prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Exact {
        host: HostRef<'a>,
        path: Cow<'a, str>,
    },
    Glob {
        host: HostRef<'a>,
        pattern: &'a str,
        glob: Box<Glob>,
    },
    Host(HostRef<'a>),
    Elsewhere(&'a str),
}

/// Prepares the places of a row.
pub(super) fn prepare<'a>(
    places: &'a [EntryPlace],
    hosts: &mut HostReader<'_, 'a>,
) -> ShortList<Place<'a>> {
    // One file on one host is most.
    if let [
        EntryPlace::Exact {
            host: Some(name),
            path,
        },
    ] = places
        && let Some(host) = hosts.one(name)
    {
        let path = tidy(path);
        return ShortList::One(Place::Exact { host, path });
    }
    let mut out = Vec::new();
    for place in places {
        match place {
            EntryPlace::Exact { host, path } => hosts.meant(host.as_ref(), |host| {
                let path = tidy(path);
                out.push(Place::Exact { host, path });
            }),
            EntryPlace::Glob { host, pattern } => hosts.meant(host.as_ref(), |host| {
                let glob = Box::new(Glob::read(pattern));
                out.push(Place::Glob {
                    host,
                    pattern,
                    glob,
                });
            }),
            EntryPlace::Host(name) => hosts.meant(Some(name), |host| out.push(Place::Host(host))),
            EntryPlace::Elsewhere(text) => out.push(Place::Elsewhere(text)),
        }
    }
    out.into()
}

/// Finds the hosts that rows mean. Rows on one host often follow one another: the last name is not looked up again.
pub(super) struct HostReader<'h, 'a> {
    hosts: &'h Hosts,
    last: Option<(&'a str, u32)>,
}

impl<'h, 'a> HostReader<'h, 'a> {
    pub(super) fn new(hosts: &'h Hosts) -> Self {
        Self { hosts, last: None }
    }

    /// The swept host that a row means by its name.
    fn one(&mut self, name: &'a ArcStr) -> Option<HostRef<'a>> {
        let known = self.last.filter(|(last, _)| *last == &**name);
        let found = || Some((&**name, short(self.hosts.meant(name)?)));
        let (name, host) = known.or_else(found)?;
        self.last = Some((name, host));
        Some(HostRef::Swept(host))
    }

    /// The hosts that a row means by a name: one, or of a pattern all that were swept.
    fn meant(&mut self, name: Option<&'a ArcStr>, mut each: impl FnMut(HostRef<'a>)) {
        let Some(name) = name else {
            return each(HostRef::Any);
        };
        if let Some(host) = self.one(name) {
            return each(host);
        }
        let mut none = true;
        if name.contains(['*', '?']) {
            let pattern = Glob::read(name);
            for (number, host) in self.hosts.iter().enumerate() {
                if pattern.matches(&host.name.to_lowercase()) {
                    each(HostRef::Swept(short(number)));
                    none = false;
                }
            }
        }
        if none {
            each(HostRef::Unswept(name));
        }
    }
}

impl HostRef<'_> {
    pub(super) fn allows(&self, host: usize) -> bool {
        match self {
            Self::Any => true,
            Self::Swept(own) => *own == short(host),
            Self::Unswept(_) => false,
        }
    }
}

impl Place<'_> {
    /// Whether a file sweep can look there.
    pub(super) fn is_checkable(&self) -> bool {
        !matches!(self, Self::Elsewhere(_))
    }

    /// The swept host that it names, by number.
    pub(super) fn swept_host(&self) -> Option<usize> {
        match self {
            Self::Exact { host, .. } | Self::Glob { host, .. } | Self::Host(host) => match host {
                HostRef::Swept(number) => long(*number),
                _ => None,
            },
            Self::Elsewhere(_) => None,
        }
    }

    /// Whether something seen on a host (by number) is at this place; links, hard links and the generations of a file count.
    pub(super) fn allows(&self, host: usize, sighting: &Sighting) -> bool {
        match self {
            Self::Exact { host: h, path } => {
                let settles =
                    |p: &str| settled(p).is_some_and(|p| lies_in(&p, &settled_or_same(path)));
                h.allows(host) && paths(sighting).any(|p| lies_in(p, path) || settles(p))
            }
            Self::Glob { host: h, glob, .. } => {
                let settles = |p: &str| settled(p).is_some_and(|p| glob.matches(&p));
                h.allows(host) && paths(sighting).any(|p| glob.matches(p) || settles(p))
            }
            Self::Host(h) => h.allows(host),
            Self::Elsewhere(_) => false,
        }
    }
}

impl<'a> Row<'a> {
    /// Whether a sighting is at a place that the row allows.
    pub(super) fn allows(&self, world: &World<'_>, sighting: usize) -> bool {
        let host = world.host(sighting);
        world
            .sightings
            .get(sighting)
            .is_some_and(|s| self.places.iter().any(|place| place.allows(host, s)))
    }

    /// Whether a file sweep can look at one of its places.
    pub(super) fn is_checkable(&self) -> bool {
        self.places.iter().any(Place::is_checkable)
    }

    /// Its places as a person reads them.
    pub(super) fn places_text(&self) -> impl fmt::Display + use<'a> {
        PlacesText(&self.entry.places)
    }
}

/// The places of a row, for a sentence.
struct PlacesText<'a>(&'a [EntryPlace]);

impl fmt::Display for PlacesText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (number, place) in self.0.iter().take(SHOWN).enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            match place {
                EntryPlace::Exact { host, path }
                | EntryPlace::Glob {
                    host,
                    pattern: path,
                } => {
                    f.write_str(host.as_deref().unwrap_or("*"))?;
                    f.write_str(":")?;
                    f.write_str(path)?;
                }
                EntryPlace::Host(text) | EntryPlace::Elsewhere(text) => f.write_str(text)?,
            }
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What every host's sweep leaves open.
pub(super) struct Coverage<'w, 'a> {
    world: &'w World<'a>,
    /// Why a whole host cannot be judged, per host.
    whole: Vec<Option<String>>,
    /// Whether there is no doubt about a host but by what stayed closed, per host.
    proven: Vec<bool>,
    /// Closed key material that no row accounts for, per host, by path.
    closed: Vec<Vec<&'w str>>,
    /// Digests of hosts with the paths of that and the directories above: most places have none of it.
    near_closed: HashSet<u64>,
    hasher: RandomState,
}

impl<'w, 'a> Coverage<'w, 'a> {
    /// Looks at gaps and closed material once.
    pub(super) fn new(world: &'w World<'a>, overview: &Overview, join: &Join) -> Self {
        let whole = world.hosts.iter().map(whole_host).collect();
        let mut closed: Vec<Vec<&str>> = world.hosts.iter().map(|_| Vec::new()).collect();
        for (number, key) in world.keys.iter().enumerate() {
            if !overview.is_closed(number) || join.is_known(number) {
                continue;
            }
            for sighting in key.all.iter() {
                let seen = world.sightings.get(sighting);
                if let (Some(of_host), Some(s)) = (closed.get_mut(world.host(sighting)), seen) {
                    of_host.extend(paths(s));
                }
            }
        }
        let hasher = RandomState::default();
        let mut near_closed = HashSet::default();
        for (host, paths) in closed.iter_mut().enumerate() {
            paths.sort_unstable();
            paths.dedup();
            for path in paths.iter() {
                let above = path.match_indices('/').map(|(end, _)| path.get(..end));
                let all = above.flatten().chain([*path, "/"]);
                near_closed.extend(all.map(|path| hasher.hash_one((host, path))));
            }
        }
        Self {
            world,
            whole,
            proven: world.hosts.iter().map(Host::is_proven).collect(),
            closed,
            near_closed,
            hasher,
        }
    }

    /// Why nothing can be concluded from the absence of a row's thing; none when it can.
    pub(super) fn doubt(&self, row: &Row<'_>) -> Option<String> {
        row.places
            .iter()
            .find_map(|place| self.doubt_at(row, place))
    }

    fn doubt_at(&self, row: &Row<'_>, place: &Place<'_>) -> Option<String> {
        let (Place::Exact { host, .. } | Place::Glob { host, .. } | Place::Host(host)) = place
        else {
            let Place::Elsewhere(text) = place else {
                return None;
            };
            return Some(format!(
                "it is kept where a sweep of files cannot look ({text})"
            ));
        };
        match host {
            HostRef::Unswept(name) => Some(format!("host {name} was not swept")),
            HostRef::Swept(number) => self.doubt_on(row, place, *number as usize),
            HostRef::Any if self.whole.is_empty() => Some("no host was swept".to_owned()),
            HostRef::Any => {
                (0..self.whole.len()).find_map(|number| self.doubt_on(row, place, number))
            }
        }
    }

    fn doubt_on(&self, row: &Row<'_>, place: &Place<'_>, number: usize) -> Option<String> {
        let by_gap = || {
            let host = self.world.hosts.get(number)?;
            match place {
                Place::Exact { path, .. } => exact(host, path),
                Place::Glob { glob, pattern, .. } => pattern_doubt(host, glob, pattern),
                _ => self.whole.get(number).cloned().flatten(),
            }
        };
        let proven = self.proven.get(number) == Some(&true);
        let doubt = if proven { None } else { by_gap() };
        doubt.or_else(|| {
            let possible = may_be_closed(row, place).then_some(place)?;
            let path = self.closed_at(possible, number)?;
            let host = self.world.hosts.get(number)?;
            Some(format!(
                "{}:{path} holds an encrypted key that stayed closed",
                host.name
            ))
        })
    }

    /// A closed key at a place.
    fn closed_at(&self, place: &Place<'_>, number: usize) -> Option<&'w str> {
        let closed = self.closed.get(number)?;
        let within = |directory: &str, fits: &dyn Fn(&str) -> bool| {
            let start = closed.partition_point(|path| *path < directory);
            let rest = closed.get(start..).unwrap_or_default().iter().copied();
            let mut within = rest.take_while(|path| path.starts_with(directory));
            within.find(|path| fits(path))
        };
        match place {
            Place::Exact { path, .. } => {
                let digest = self.hasher.hash_one((number, &**path));
                let near = self.near_closed.contains(&digest);
                near.then(|| within(path, &|p| lies_in(p, path)))?
            }
            Place::Glob { glob, .. } => within(&glob.base(), &|p| glob.matches(p)),
            _ => closed.first().copied(),
        }
    }
}

/// Whether a closed private key could be what the row means. A certificate or a grant stands in clear beside it;
/// only at its very file is the key taken for its own.
fn may_be_closed(row: &Row<'_>, place: &Place<'_>) -> bool {
    let exact = matches!(place, Place::Exact { .. });
    match row.entry.kind {
        None | Some(EntryKind::KeyPair | EntryKind::SshKey | EntryKind::SshHostKey) => true,
        Some(EntryKind::Certificate) => exact,
        Some(EntryKind::Grant | EntryKind::PublicKey | EntryKind::Symmetric | EntryKind::Pgp) => {
            false
        }
    }
}

fn exact(host: &Host, path: &str) -> Option<String> {
    if let Some(doubt) = host.unreached(path, path) {
        return Some(doubt);
    }
    host.gap_at_or_above(path)
        .or_else(|| host.gaps_within(path).next())
        .map(|gap| gap_text(host, gap))
}

pub(super) fn pattern_doubt(host: &Host, glob: &Glob, pattern: &str) -> Option<String> {
    let base = glob.base();
    if let Some(doubt) = host.unreached(&base, pattern) {
        return Some(doubt);
    }
    let above = host
        .gap_at_or_above(&base)
        .filter(|gap| gap.path != base || may_hide_files(gap.reason));
    above
        .or_else(|| {
            host.gaps_within(&base).find(|gap| {
                glob.matches_at_or_above(&gap.path)
                    || (may_hide_files(gap.reason) && glob.touches(&gap.path))
            })
        })
        .map(|gap| gap_text(host, gap))
}

/// Whether a gap may stand for a directory with files of its own; the others are about one file.
fn may_hide_files(reason: GapReason) -> bool {
    reason.makes_incomplete() || matches!(reason, GapReason::Vanished | GapReason::NotSwept)
}

/// A whole host is judged over its local file systems, without access gaps and closed keystores.
pub(super) fn whole_host(host: &Host) -> Option<String> {
    if let Some(doubt) = host.unreached("/", "") {
        return Some(doubt);
    }
    let counts = |gap: &&Gap| {
        gap.reason.makes_incomplete()
            || gap.reason == GapReason::Encrypted
            || (gap.reason == GapReason::NotSwept && gap.by_choice)
    };
    host.gaps_within("/")
        .find(counts)
        .map(|gap| gap_text(host, gap))
}

fn gap_text(host: &Host, gap: &Gap) -> String {
    let reason = match gap.reason {
        GapReason::PermissionDenied => "could not be read for want of permission",
        GapReason::IoError => "could not be read",
        GapReason::Interrupted => "was not reached before the sweep was stopped",
        GapReason::Limit => "was cut off by a limit",
        GapReason::Vanished => "vanished during the sweep",
        GapReason::Malformed => "could not be understood",
        GapReason::Truncated => "is cut off",
        GapReason::Unsupported => "is of a kind that is not read",
        GapReason::Encrypted => "is encrypted and stayed closed",
        GapReason::NotSwept => "was left out of the sweep",
    };
    format!("{}:{} {reason}", host.name, gap.path)
}
