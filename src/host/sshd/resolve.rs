//! Where a path of a host really leads, beneath its root.

use super::super::rooted::Rooted;
use std::collections::HashMap;

/// Links in one path, as the kernel has it.
const LINKS_LIMIT: usize = 40;
/// Directories that are kept.
const KEPT_LIMIT: usize = 100_000;

/// Resolves links; directories that were met are remembered.
pub(super) struct Resolver<'a> {
    rooted: &'a Rooted,
    targets: HashMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(rooted: &'a Rooted) -> Self {
        Self {
            rooted,
            targets: HashMap::new(),
        }
    }

    /// The path without links, dots and doubled slashes; what is not there stays as it is written.
    pub(super) fn real(&mut self, path: &[u8]) -> Vec<u8> {
        // What is still to be walked, the next name last.
        let mut ahead: Vec<Vec<u8>> = names(path);
        let mut at: Vec<u8> = Vec::new();
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            if name == b".." {
                let parent = at.iter().rposition(|b| *b == b'/').unwrap_or(0);
                at.truncate(parent);
                continue;
            }
            let next = [at.as_slice(), b"/", &name].concat();
            match self.target(&next).filter(|_| links < LINKS_LIMIT) {
                Some(target) => {
                    links += 1;
                    if target.starts_with(b"/") {
                        at.clear();
                    }
                    ahead.extend(names(&target));
                }
                None => at = next,
            }
        }
        if at.is_empty() { b"/".to_vec() } else { at }
    }

    fn target(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if let Some(known) = self.targets.get(path) {
            return known.clone();
        }
        let target = self.rooted.link_target(path);
        if self.targets.len() < KEPT_LIMIT {
            self.targets.insert(path.to_vec(), target.clone());
        }
        target
    }
}

/// The names of a path, the first last.
fn names(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|b| *b == b'/');
    let mut names: Vec<Vec<u8>> = parts
        .filter(|p| !p.is_empty() && *p != b".")
        .map(<[u8]>::to_vec)
        .collect();
    names.reverse();
    names
}
