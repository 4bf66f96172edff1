//! Several columns of places become one list: hosts and paths in columns of their own belong together.

use super::places;
use crate::model::{EntryPlace, ShortList};
use arcstr::ArcStr;

/// Most places that a row may have.
const MAX_PLACES: usize = 10_000;

/// The places of a row, by the kind of their column.
#[derive(Debug, Default)]
pub(super) struct Columns {
    locations: Vec<EntryPlace>,
    hosts: Vec<EntryPlace>,
    paths: Vec<EntryPlace>,
    /// What was read before.
    known: places::Hosts,
}

impl Columns {
    /// Adds a cell of a column of locations; gives what could not be read.
    pub(super) fn location(&mut self, cell: &str) -> Vec<String> {
        if let Some(place) = self.known.plain(cell) {
            self.locations.push(place);
            return Vec::new();
        }
        let (mut places, faults) = places::read_cell(cell);
        self.locations.append(&mut places);
        faults
    }

    /// Adds a cell of a column of hosts.
    pub(super) fn host(&mut self, cell: &str) -> Vec<String> {
        let (mut places, faults) = places::read_hosts(cell);
        self.hosts.append(&mut places);
        faults
    }

    /// Adds a cell of a column of paths.
    pub(super) fn path(&mut self, cell: &str) -> Vec<String> {
        let (mut places, faults) = places::read_cell(cell);
        self.paths.append(&mut places);
        faults
    }

    /// One list, and none are left. A path without host is on the hosts of the row's host column, else on the hosts that its location column
    /// names. A host alone counts as a whole only where no path is on it and nothing stands in a token or a cloud, since a
    /// whole host would allow more than the row says.
    pub(super) fn combined(&mut self) -> ShortList<EntryPlace> {
        let alone = self.hosts.is_empty() && self.paths.is_empty();
        if alone && matches!(*self.locations, [] | [EntryPlace::Exact { .. }]) {
            return self.locations.drain(..).collect();
        }
        let locations = std::mem::take(&mut self.locations);
        let hosts = std::mem::take(&mut self.hosts);
        let paths = std::mem::take(&mut self.paths);
        let names = |places: &[EntryPlace]| -> Vec<ArcStr> {
            places
                .iter()
                .filter_map(|p| match p {
                    EntryPlace::Host(h) => Some(ArcStr::clone(h)),
                    _ => None,
                })
                .collect()
        };
        let from_hosts = names(&hosts);
        let from_locations = names(&locations);
        let for_paths = if from_hosts.is_empty() {
            &from_locations
        } else {
            &from_hosts
        };
        let mut all: Vec<EntryPlace> = Vec::new();
        for place in locations
            .iter()
            .filter(|p| !matches!(p, EntryPlace::Host(_)))
        {
            spread(place, &from_hosts, &mut all);
        }
        for place in &paths {
            spread(place, for_paths, &mut all);
        }
        all.extend(
            hosts
                .iter()
                .filter(|p| !matches!(p, EntryPlace::Host(_)))
                .cloned(),
        );
        let elsewhere = all.iter().any(|p| matches!(p, EntryPlace::Elsewhere(_)));
        for host in from_locations.iter().chain(&from_hosts) {
            let named = all.iter().any(|p| host_of(p) == Some(host));
            // A location column that names a host on its own says so itself.
            if !named && (!elsewhere || from_locations.contains(host)) {
                all.push(EntryPlace::Host(ArcStr::clone(host)));
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|p| seen.insert(p.clone()));
        all.truncate(MAX_PLACES);
        all.into()
    }
}

fn spread(place: &EntryPlace, hosts: &[ArcStr], all: &mut Vec<EntryPlace>) {
    if hosts.is_empty() || all.len() > MAX_PLACES {
        all.push(place.clone());
        return;
    }
    match place {
        EntryPlace::Exact { host: None, path } => {
            all.extend(hosts.iter().map(|h| EntryPlace::Exact {
                host: Some(ArcStr::clone(h)),
                path: path.clone(),
            }))
        }
        EntryPlace::Glob {
            host: None,
            pattern,
        } => all.extend(hosts.iter().map(|h| EntryPlace::Glob {
            host: Some(ArcStr::clone(h)),
            pattern: pattern.clone(),
        })),
        other => all.push(other.clone()),
    }
}

fn host_of(place: &EntryPlace) -> Option<&ArcStr> {
    match place {
        EntryPlace::Exact { host, .. } | EntryPlace::Glob { host, .. } => host.as_ref(),
        EntryPlace::Host(host) => Some(host),
        EntryPlace::Elsewhere(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(host: &str, path: &str) -> EntryPlace {
        EntryPlace::Exact {
            host: Some(host.into()),
            path: path.into(),
        }
    }

    fn combined(location: &str, host: &str, path: &str) -> ShortList<EntryPlace> {
        let mut columns = Columns::default();
        assert_eq!(columns.location(location), Vec::<String>::new());
        assert_eq!(columns.host(host), Vec::<String>::new());
        assert_eq!(columns.path(path), Vec::<String>::new());
        columns.combined()
    }

    #[test]
    fn hosts_and_paths_of_different_columns_belong_together() {
        assert_eq!(*combined("", "web01", "/a"), [exact("web01", "/a")]);
        assert_eq!(
            *combined("", "web01, web02", "/a"),
            [exact("web01", "/a"), exact("web02", "/a")]
        );
        assert_eq!(*combined("web01", "", "/a"), [exact("web01", "/a")]);
        assert_eq!(*combined("/a", "web01", ""), [exact("web01", "/a")]);
    }

    #[test]
    fn a_host_does_not_widen_an_exact_place() {
        assert_eq!(*combined("web01:/a", "web01", ""), [exact("web01", "/a")]);
        assert_eq!(
            *combined("hsm:slot1", "web01", ""),
            [EntryPlace::Elsewhere("hsm:slot1".into())]
        );
        assert_eq!(
            *combined("web01:/a", "web02", ""),
            [exact("web01", "/a"), EntryPlace::Host("web02".into())]
        );
        assert_eq!(
            *combined("", "web01", ""),
            [EntryPlace::Host("web01".into())]
        );
    }
}
