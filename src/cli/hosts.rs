//! Which hosts a scan is about, and the roots on each.

use super::args::ScanArgs;
use anyhow::{Context as _, bail};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// One host to be swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTask {
    /// Its name.
    pub name: String,
    /// The directory that is its root.
    pub root: PathBuf,
    /// What to sweep, absolute as the host sees it.
    pub paths: Vec<Vec<u8>>,
}

impl HostTask {
    /// Whether it is the machine that this program runs on.
    pub fn is_this_machine(&self) -> bool {
        self.root == Path::new("/")
    }
}

/// Works out the hosts of a scan.
pub fn tasks(args: &ScanArgs) -> anyhow::Result<Vec<HostTask>> {
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    for text in &args.host_roots {
        let (name, dir) = text
            .split_once('=')
            .filter(|(name, dir)| !name.is_empty() && !dir.is_empty())
            .with_context(|| format!("--host-root {text}: expected NAME=DIR"))?;
        named.push((name.to_owned(), PathBuf::from(dir)));
    }
    for under in &args.hosts_under {
        let before = named.len();
        let context = || format!("--hosts-under {}", under.display());
        for entry in std::fs::read_dir(under).with_context(context)? {
            let entry = entry.with_context(context)?;
            if entry.file_type().with_context(context)?.is_dir() {
                let name = entry.file_name().to_string_lossy().into_owned();
                named.push((name, entry.path()));
            }
        }
        if named.len() == before {
            bail!("--hosts-under {}: no directory in it", under.display());
        }
    }
    if named.is_empty() {
        let name = args.host.clone().unwrap_or_else(machine_name);
        return Ok(vec![HostTask {
            name,
            root: PathBuf::from("/"),
            paths: own_paths(&args.paths)?,
        }]);
    }
    named.sort();
    if let Some(twice) = named.windows(2).find_map(|pair| match pair {
        [(a, _), (b, _)] if a == b => Some(a.clone()),
        _ => None,
    }) {
        bail!("host {twice} is named twice");
    }
    named
        .into_iter()
        .map(|(name, root)| {
            let root = root
                .canonicalize()
                .with_context(|| format!("{}: cannot be a host's root", root.display()))?;
            if !root.is_dir() {
                bail!("{}: is no directory", root.display());
            }
            Ok(HostTask {
                name,
                paths: host_paths(&args.paths),
                root,
            })
        })
        .collect()
}

/// The machine's name, as `uname -n`.
fn machine_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Paths on this machine: links in what was typed are resolved, as the user means what they point at.
fn own_paths(paths: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    if paths.is_empty() {
        return Ok(vec![b"/".to_vec()]);
    }
    paths
        .iter()
        .map(|path| {
            path.canonicalize()
                .or_else(|error| match error.kind() {
                    // Behind closed doors: a gap, which ends no sweep of the other places.
                    ErrorKind::PermissionDenied => std::path::absolute(path),
                    _ => Err(error),
                })
                .map(|path| path.as_os_str().as_bytes().to_vec())
                .with_context(|| path.display().to_string())
        })
        .collect()
}

/// Paths on a host that is mounted elsewhere: taken from its root.
fn host_paths(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    if paths.is_empty() {
        return vec![b"/".to_vec()];
    }
    paths
        .iter()
        .map(|path| Path::new("/").join(path).as_os_str().as_bytes().to_vec())
        .collect()
}
