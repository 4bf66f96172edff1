//! Places as policy writes them: `host:/glob`, `/glob` on any host, a host, `*`.

use super::context::paths;
use super::glob::Glob;
use super::sweeps::Hosts;
use crate::model::{EntryPlace, Sighting};

/// A pattern over hosts and paths.
pub(super) struct Located {
    /// None: any host.
    host: Option<String>,
    /// None: any path. A directory that ends with `/` is all that lies in it.
    path: Option<(Glob, String)>,
}

impl Located {
    pub(super) fn read(text: &str) -> Self {
        let (host, path) = match text.split_once(':') {
            Some((host, path)) if path.starts_with('/') => (host, Some(path)),
            _ if text.starts_with('/') => ("*", Some(text)),
            _ => (text, None),
        };
        let path = path.map(|path| {
            let whole = if path.ends_with('/') {
                format!("{path}**")
            } else {
                path.to_owned()
            };
            (Glob::read(&whole), whole)
        });
        let host = host.to_lowercase();
        Self {
            host: (!host.chars().all(|c| c == '*')).then_some(host),
            path,
        }
    }

    /// Whether it means everything everywhere.
    pub(super) fn is_all(&self) -> bool {
        self.host.is_none() && self.path.is_none()
    }

    /// The glob over paths, and as it is written.
    pub(super) fn path(&self) -> Option<&(Glob, String)> {
        self.path.as_ref()
    }

    /// Whether it may mean this host; a name without domain means the one with it.
    pub(super) fn is_on(&self, host: &str) -> bool {
        let Some(wanted) = &self.host else {
            return true;
        };
        let host = host.to_lowercase();
        if wanted.contains(['*', '?', '[']) {
            return Glob::read(wanted).matches(&host);
        }
        let label = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
        let bare = !wanted.contains('.') || !host.contains('.');
        *wanted == host || (bare && label(wanted) == label(&host))
    }

    fn at(&self, path: &str) -> bool {
        self.path
            .as_ref()
            .is_none_or(|(glob, _)| glob.matches(path))
    }

    /// Whether a place that a finding names, `host:/path`, is meant.
    pub(super) fn covers(&self, place: &str) -> bool {
        let (host, path) = place.split_once(':').unwrap_or((place, ""));
        self.is_on(host) && self.at(path)
    }

    /// Whether a sighting is at it, by its path or one that leads there.
    pub(super) fn holds(&self, sighting: &Sighting) -> bool {
        self.is_on(sighting.host.as_deref().unwrap_or_default())
            && paths(sighting).any(|path| self.at(path))
    }

    /// Whether all that a row's place means lies in it: the same pattern or one path of it.
    pub(super) fn contains(&self, place: &EntryPlace) -> bool {
        if self.is_all() {
            return true;
        }
        let on = |host: Option<&str>| match host {
            Some(host) => self.is_on(host),
            None => self.host.is_none(),
        };
        match place {
            EntryPlace::Exact { host, path } => on(host.as_deref()) && self.at(path),
            // A pattern is a path too: `*` in it matches the stars of this one.
            EntryPlace::Glob { host, pattern } => on(host.as_deref()) && self.at(pattern),
            EntryPlace::Host(host) => self.is_on(host) && self.path.is_none(),
            EntryPlace::Elsewhere(_) => false,
        }
    }

    /// The hosts that were swept and that it means, by number.
    pub(super) fn hosts<'h>(&'h self, hosts: &'h Hosts) -> impl Iterator<Item = usize> + 'h {
        let named = |(_, host): &(usize, &super::sweeps::Host)| {
            self.is_on(&host.name) || host.formerly.iter().any(|name| self.is_on(name))
        };
        hosts
            .iter()
            .enumerate()
            .filter(named)
            .map(|(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths() {
        for (pattern, place, expected) in [
            ("web01:/etc/ssl/**", "web01:/etc/ssl/private/a.key", true),
            ("web01:/etc/ssl/**", "web02:/etc/ssl/private/a.key", false),
            ("web01:/etc/ssl/*", "web01:/etc/ssl/private/a.key", false),
            ("web*:/etc/ssl/", "WEB02:/etc/ssl/private/a.key", true),
            ("/etc/ssl/a.key", "any:/etc/ssl/a.key", true),
            ("/etc/ssl/a.key", "any:/etc/ssl/b.key", false),
            ("web01", "web01.example.com:/a", true),
            ("web01.example.com", "web01.example.org:/a", false),
            ("web01", "web011:/a", false),
            ("*", "any:/a", true),
        ] {
            assert_eq!(
                Located::read(pattern).covers(place),
                expected,
                "{pattern} {place}"
            );
        }
    }

    #[test]
    fn places_of_rows() {
        let exact = |host: Option<&str>, path: &str| EntryPlace::Exact {
            host: host.map(Into::into),
            path: path.into(),
        };
        let contains = |pattern: &str, place: &EntryPlace| Located::read(pattern).contains(place);
        assert!(contains("web01:/srv/**", &exact(Some("web01"), "/srv/a")));
        assert!(!contains("web01:/srv/**", &exact(Some("web02"), "/srv/a")));
        // A row that allows any host is not covered by one host's exception.
        assert!(!contains("web01:/srv/**", &exact(None, "/srv/a")));
        assert!(contains("/srv/**", &exact(None, "/srv/a")));
        assert!(!contains(
            "web01:/srv/**",
            &EntryPlace::Host("web01".into())
        ));
        assert!(contains("web01", &EntryPlace::Host("web01".into())));
        let elsewhere = EntryPlace::Elsewhere("hsm:1".into());
        assert!(contains("*", &elsewhere) && !contains("web01", &elsewhere));
    }
}
