//! Places as an export writes them: `host:/path` in one column, or host and path in columns of their own.

use super::spelling::separator;
use crate::inventory::places;
use crate::model::{EntryPlace, SeenAt};
use arcstr::ArcStr;
use std::collections::BTreeMap;

/// How an export writes places, by the indexes of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `host:/path` in one column.
    Whole(usize),
    /// Host and path.
    Split {
        /// The column of hosts.
        host: usize,
        /// The column of paths.
        path: usize,
    },
    /// Paths alone.
    Path(usize),
    /// Hosts alone.
    Host(usize),
    /// None.
    None,
}

impl Style {
    /// The style by the columns that there are and what stands in them.
    pub(super) fn of(
        location: Option<(usize, &[&str])>,
        host: Option<usize>,
        path: Option<usize>,
    ) -> Self {
        let bare = |cells: &[&str]| {
            let filled = cells.iter().filter(|c| !c.is_empty()).count();
            let paths = cells.iter().filter(|c| c.starts_with(['/', '~'])).count();
            filled > 0 && paths * 2 > filled
        };
        match (location, host, path) {
            (_, Some(host), Some(path)) => Self::Split { host, path },
            (Some((column, cells)), Some(host), None) if bare(cells) => {
                Self::Split { host, path: column }
            }
            // A column of locations that names hosts beside one of paths.
            (Some((column, cells)), None, Some(path))
                if !cells.iter().any(|c| c.contains(":/")) =>
            {
                Self::Split { host: column, path }
            }
            (Some((column, _)), _, _) => Self::Whole(column),
            (None, None, Some(path)) => Self::Path(path),
            (None, Some(host), None) => Self::Host(host),
            (None, None, None) => Self::None,
        }
    }

    /// The columns that it fills.
    pub(super) fn columns(self) -> Vec<usize> {
        match self {
            Self::Whole(one) | Self::Path(one) | Self::Host(one) => vec![one],
            Self::Split { host, path } => vec![host, path],
            Self::None => Vec::new(),
        }
    }
}

/// The cells for places, a list for each row that they take. Where hosts and paths stand apart, each host takes a row of its
/// own: every path of a row is on every host of it.
pub(super) fn cells(
    style: Style,
    seen: &[SeenAt],
    like: &[&str],
    rows_for_places: bool,
    lists: bool,
) -> Vec<Vec<(usize, String)>> {
    let mut by_host: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for at in seen {
        by_host.entry(&at.host).or_default().push(at.path.clone());
    }
    let between = if lists {
        "\n"
    } else {
        separator(like).unwrap_or("; ")
    };
    let whole = || seen.iter().filter_map(|at| text(Some(&at.host), &at.path));
    let rows: Vec<Vec<(usize, String)>> = match style {
        Style::None => Vec::new(),
        Style::Whole(column) if rows_for_places => {
            whole().map(|place| vec![(column, place)]).collect()
        }
        Style::Whole(column) => {
            let places: Vec<String> = whole().collect();
            vec![vec![(column, places.join(between))]]
        }
        Style::Path(column) => {
            let mut paths: Vec<String> =
                seen.iter().filter_map(|at| text(None, &at.path)).collect();
            paths.sort();
            paths.dedup();
            vec![vec![(column, paths.join(between))]]
        }
        Style::Host(column) => {
            let hosts: Vec<&str> = by_host.keys().copied().collect();
            vec![vec![(column, hosts.join(between))]]
        }
        Style::Split { host, path } => by_host
            .iter()
            .flat_map(|(name, paths)| {
                let paths: Vec<String> = paths.iter().filter_map(|p| text(None, p)).collect();
                let cells: Vec<String> = if rows_for_places {
                    paths
                } else {
                    vec![paths.join(between)]
                };
                cells
                    .into_iter()
                    .map(|paths| vec![(host, (*name).to_owned()), (path, paths)])
                    .collect::<Vec<_>>()
            })
            .collect(),
    };
    if rows.is_empty() {
        vec![Vec::new()]
    } else {
        rows
    }
}

/// A place as text that is read as this place: plainly, as an address, or as a pattern where a name has signs of one.
pub(crate) fn text(host: Option<&str>, path: &str) -> Option<String> {
    if !path.starts_with('/') {
        // Another store's own address.
        let read = places::read_cell(path);
        let elsewhere = matches!(read.0.as_slice(), [EntryPlace::Elsewhere(_)]);
        return (elsewhere && read.1.is_empty()).then(|| path.to_owned());
    }
    let wild = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\u{fffd}') || c.is_control();
    let quiet: String = path
        .chars()
        .map(|c| if wild(c) { '?' } else { c })
        .collect();
    let address: String = quiet
        .bytes()
        .flat_map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'?' => {
                vec![char::from(b)]
            }
            _ => format!("%{b:02X}").chars().collect(),
        })
        .collect();
    let plain = match host {
        Some(host) => format!("{host}:{quiet}"),
        None => quiet.clone(),
    };
    let addressed = format!("file://{}{address}", host.unwrap_or_default());
    [plain, addressed].into_iter().find(|written| {
        let (read, faults) = places::read_cell(written);
        let same = |own: &Option<ArcStr>| match host {
            Some(host) => own.as_deref() == Some(&host.to_lowercase()),
            None => own.is_none(),
        };
        faults.is_empty()
            && match read.as_slice() {
                [EntryPlace::Exact { host, path: read }] => same(host) && **read == *path,
                [EntryPlace::Glob { host, pattern }] => same(host) && **pattern == *quiet,
                _ => false,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_written_so_that_they_are_read() {
        for (path, expected) in [
            ("/etc/a.key", "web01:/etc/a.key"),
            ("/srv/a;b.key", "file://web01/srv/a%3Bb.key"),
            ("/srv/a, /b.key", "file://web01/srv/a%2C%20/b.key"),
            ("/srv/a[1].key", "web01:/srv/a?1?.key"),
            ("/srv/caf\u{fffd}.crt", "web01:/srv/caf?.crt"),
            ("/srv/x\ny", "web01:/srv/x?y"),
        ] {
            assert_eq!(
                text(Some("web01"), path).as_deref(),
                Some(expected),
                "{path}"
            );
        }
        assert_eq!(
            text(Some("web01"), "pkcs11:token=a").as_deref(),
            Some("pkcs11:token=a")
        );
    }

    #[test]
    fn each_host_has_a_row_where_paths_stand_apart() {
        let at = |host: &str, path: &str| SeenAt {
            host: host.into(),
            path: path.into(),
        };
        let seen = [at("a", "/1"), at("a", "/2"), at("b", "/3")];
        let split = Style::Split { host: 0, path: 1 };
        let cell = |c: usize, t: &str| (c, t.to_owned());
        assert_eq!(
            cells(split, &seen, &[], false, false),
            [
                vec![cell(0, "a"), cell(1, "/1; /2")],
                vec![cell(0, "b"), cell(1, "/3")]
            ]
        );
        assert_eq!(
            cells(Style::Whole(0), &seen, &["x:/a, y:/b"], false, false),
            [vec![cell(0, "a:/1, a:/2, b:/3")]]
        );
        assert_eq!(cells(Style::Whole(0), &seen, &[], true, false).len(), 3);
    }
}
