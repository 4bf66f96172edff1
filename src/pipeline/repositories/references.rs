//! What the branches, tags and stashes of a repository name (gitrepository-layout(5)). Configuration is not read.

use super::files::FileSource;
use crate::archives::Source as _;
use crate::archives::git::ObjectId;
use crate::archives::read_exact_at;
use crate::walk::HostRoot;

/// A longer file of references is not read.
const FILE_MAX: u64 = 64 << 20;
/// As many files of references are read.
const FILES_MAX: usize = 1_000_000;
/// Directories in one another.
const LEVELS_MAX: usize = 32;

/// What the references of a repository name.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Branches, here and as last seen elsewhere, and what is checked out.
    pub(super) tips: Vec<ObjectId>,
    /// All references, and all that `refs/stash` ever named.
    pub(super) all: Vec<ObjectId>,
    /// That these are all is known.
    pub(super) is_complete: bool,
}

/// Reads the references of the repository in this directory.
pub(super) fn read(root: &HostRoot, repository: &[u8]) -> References {
    let mut references = References {
        is_complete: true,
        ..References::default()
    };
    let inside = |name: &str| [repository, b"/", name.as_bytes()].concat();
    // References in a binary table: HEAD and refs are only there for older programs.
    if root.names(&inside("reftable"), 1).is_ok() {
        references.is_complete = false;
    }
    let mut heads = vec![inside("HEAD")];
    for (name, is_directory) in root
        .names(&inside("worktrees"), FILES_MAX)
        .unwrap_or_default()
    {
        if is_directory {
            heads.push([&*inside("worktrees"), b"/", &name, b"/HEAD"].concat());
        }
    }
    for head in heads {
        let text = text(root, &head).unwrap_or_default();
        if let Some(id) = ObjectId::from_hex(text.trim_ascii_end()) {
            references.add(id, true);
        }
    }
    packed(root, &inside("packed-refs"), &mut references);
    let mut left = FILES_MAX;
    loose(root, repository, b"refs", 0, &mut left, &mut references);
    for line in text(root, &inside("logs/refs/stash"))
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
    {
        for word in line.split(|byte| *byte == b' ').take(2) {
            references.all.extend(ObjectId::from_hex(word));
        }
    }
    for list in [&mut references.tips, &mut references.all] {
        list.sort_unstable();
        list.dedup();
    }
    references
}

impl References {
    fn add(&mut self, id: ObjectId, is_branch: bool) {
        self.all.push(id);
        if is_branch {
            self.tips.push(id);
        }
    }
}

fn is_branch(name: &[u8]) -> bool {
    name.starts_with(b"refs/heads/") || name.starts_with(b"refs/remotes/")
}

fn text(root: &HostRoot, path: &[u8]) -> Option<Vec<u8>> {
    let file = FileSource::open(root, path).ok()?;
    let size = usize::try_from(file.size()).ok()?;
    let mut bytes = (file.size() <= FILE_MAX).then(|| vec![0; size])?;
    read_exact_at(&file, &mut bytes, 0).ok()?;
    Some(bytes)
}

fn packed(root: &HostRoot, path: &[u8], references: &mut References) {
    let Some(text) = text(root, path) else {
        references.is_complete &= root.open_file(path).is_err();
        return;
    };
    for line in text.split(|byte| *byte == b'\n') {
        let blank = line.iter().position(|byte| *byte == b' ');
        let (id, name) = line.split_at(blank.unwrap_or(line.len()));
        if let Some(id) = ObjectId::from_hex(id) {
            references.add(id, is_branch(name.trim_ascii()));
        }
    }
}

fn loose(
    root: &HostRoot,
    repository: &[u8],
    name: &[u8],
    level: usize,
    left: &mut usize,
    references: &mut References,
) {
    let directory = [repository, b"/", name].concat();
    let Ok(names) = root.names(&directory, *left) else {
        references.is_complete = false;
        return;
    };
    for (entry, is_directory) in names {
        let name = [name, b"/", &entry].concat();
        *left = left.saturating_sub(1);
        if *left == 0 || level > LEVELS_MAX {
            references.is_complete = false;
            return;
        }
        if is_directory {
            loose(root, repository, &name, level + 1, left, references);
        } else if let Some(text) = text(root, &[repository, b"/", &*name].concat())
            && let Some(id) = ObjectId::from_hex(text.trim_ascii_end())
        {
            references.add(id, is_branch(&name));
        }
    }
}
