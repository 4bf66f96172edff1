//! Symbolic links that the walk met: not followed, but told of the files that they point at.

use super::aliases::Aliases;
use super::host_root::MAX_LINKS;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Symbolic links with their targets, in few bytes each.
#[derive(Debug, Default)]
pub struct Links {
    blob: Vec<u8>,
    entries: Vec<Entry>,
}

/// Where one link's path and, right after it, its target lie in the blob.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    path_len: u32,
    target_len: u32,
}

/// How many path components one resolution may go through: links that multiply end there.
const MAX_STEPS: usize = 4_096;

impl Links {
    /// Takes a link in.
    pub(super) fn push(&mut self, path: &[u8], target: &[u8]) {
        let (Ok(path_len), Ok(target_len)) =
            (u32::try_from(path.len()), u32::try_from(target.len()))
        else {
            return;
        };
        let start = self.blob.len();
        self.blob.extend_from_slice(path);
        self.blob.extend_from_slice(target);
        self.entries.push(Entry {
            start,
            path_len,
            target_len,
        });
    }

    /// Takes all links of another store in.
    pub(super) fn append(&mut self, other: &Self) {
        for (path, target) in other.iter() {
            self.push(path, target);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Each link's path as the host sees it, and its target as it is written.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().filter_map(|entry| {
            let rest = self.blob.get(entry.start..)?;
            let (path, rest) = rest.split_at_checked(usize::try_from(entry.path_len).ok()?)?;
            Some((path, rest.get(..usize::try_from(entry.target_len).ok()?)?))
        })
    }

    /// For each of the `found` files (canonical paths), the links whose chain ends at it, sorted by their bytes.
    ///
    /// Chains go through other links and through links to directories (certbot's `live/`, the `..data` of Kubernetes);
    /// an absolute target is taken inside the host. Only links that the walk met are known: a chain that leaves the roots through
    /// another link ends there. With `through_directories`, also the paths that a found file has through a link to one
    /// of the directories above it (`/etc/nginx/certs/a.pem` where `certs` is a link).
    pub fn to_files(
        &self,
        found: &BTreeSet<Vec<u8>>,
        aliases: &Aliases,
        through_directories: bool,
    ) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
        let mut told: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
        if found.is_empty() || self.is_empty() {
            return BTreeMap::new();
        }
        let mut canonical: HashMap<Vec<u8>, &Vec<u8>> = HashMap::new();
        for file in found {
            let others = aliases.paths_of(file).unwrap_or_default();
            canonical.extend(others.into_iter().map(|other| (other, file)));
            canonical.insert(file.clone(), file);
        }
        let targets: HashMap<&[u8], &[u8]> = self.iter().collect();
        for (link, _) in self.iter() {
            let Some(end) = resolve(&targets, link) else {
                continue;
            };
            if let Some(file) = canonical.get(&end) {
                let paths = told.entry((*file).clone()).or_default();
                paths.insert(link.to_vec());
            } else if through_directories {
                let mut beneath = end;
                if beneath != b"/" {
                    beneath.push(b'/');
                }
                let files = found.range::<[u8], _>((
                    std::ops::Bound::Included(&*beneath),
                    std::ops::Bound::Unbounded,
                ));
                for file in files.take_while(|file| file.starts_with(&beneath)) {
                    let rest = file.get(beneath.len()..).unwrap_or_default();
                    let paths = told.entry(file.clone()).or_default();
                    if paths.len() < MOST_LINKS {
                        paths.insert(super::join(link, rest));
                    }
                }
            }
        }
        told.into_iter()
            .map(|(file, links)| (file, links.into_iter().take(MOST_LINKS).collect()))
            .collect()
    }
}

/// The most links told of one file.
const MOST_LINKS: usize = 10_000;

/// The path that a link ends at, by the links that are known; none where it runs in circles.
fn resolve(targets: &HashMap<&[u8], &[u8]>, link: &[u8]) -> Option<Vec<u8>> {
    let mut links = 0usize;
    let mut steps = 0usize;
    let mut todo: Vec<&[u8]> = super::components(link).collect();
    todo.reverse();
    let mut path: Vec<u8> = Vec::with_capacity(link.len());
    while let Some(component) = todo.pop() {
        steps = steps.saturating_add(1);
        if steps > MAX_STEPS {
            return None;
        }
        let parent = path.len();
        if component == b".." {
            path.truncate(memchr::memrchr(b'/', &path).unwrap_or(0));
            continue;
        }
        path.push(b'/');
        path.extend_from_slice(component);
        let Some(target) = targets.get(path.as_slice()) else {
            continue;
        };
        links = links.saturating_add(1);
        if links > MAX_LINKS {
            return None;
        }
        path.truncate(if target.starts_with(b"/") { 0 } else { parent });
        let start = todo.len();
        todo.extend(super::components(target));
        if let Some(added) = todo.get_mut(start..) {
            added.reverse();
        }
    }
    if path.is_empty() {
        path.push(b'/');
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(links: &[(&str, &str)], link: &str) -> Option<String> {
        let targets = links
            .iter()
            .map(|(path, target)| (path.as_bytes(), target.as_bytes()))
            .collect();
        resolve(&targets, link.as_bytes()).map(|path| String::from_utf8(path).unwrap())
    }

    #[test]
    fn chains_end_where_the_kernel_would_end() {
        let links = [
            ("/live/x.pem", "../archive/x1.pem"),
            ("/etc/ssl/certs/ab.0", "name.pem"),
            ("/etc/ssl/certs/name.pem", "/usr/share/ca/name.crt"),
            ("/usr/share/ca", "../lib/./ca"),
            ("/vol/..data", "..2024"),
            ("/vol/tls.key", "..data/tls.key"),
            ("/a", "b"),
            ("/b", "a"),
            ("/up", "../../../../etc/x"),
            ("/bomb", "bomb/bomb"),
        ];
        let is = |link, target: &str| assert_eq!(end(&links, link).as_deref(), Some(target));
        is("/live/x.pem", "/archive/x1.pem");
        is("/etc/ssl/certs/ab.0", "/usr/lib/ca/name.crt");
        is("/vol/tls.key", "/vol/..2024/tls.key");
        is("/up", "/etc/x");
        assert_eq!(end(&links, "/a"), None);
        assert_eq!(end(&links, "/bomb"), None);
    }

    #[test]
    fn paths_through_a_linked_directory_are_told_when_asked() {
        let mut links = Links::default();
        links.push(b"/etc/nginx/certs", b"/srv/tls");
        links.push(b"/etc/one.pem", b"nginx/certs/one.pem");
        let found = BTreeSet::from([b"/srv/tls/one.pem".to_vec(), b"/srv/tls2/x".to_vec()]);
        let aliases = Aliases::new(
            Default::default(),
            Default::default(),
            super::super::exclude::Exclude::new(&[]).unwrap(),
        );
        let told = links.to_files(&found, &aliases, false);
        assert_eq!(told.len(), 1);
        assert_eq!(told[&b"/srv/tls/one.pem"[..]], [b"/etc/one.pem".to_vec()]);
        let told = links.to_files(&found, &aliases, true);
        let both = [
            b"/etc/nginx/certs/one.pem".to_vec(),
            b"/etc/one.pem".to_vec(),
        ];
        assert_eq!(told[&b"/srv/tls/one.pem"[..]], both);
    }
}
