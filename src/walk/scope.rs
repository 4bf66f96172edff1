//! What belongs to a walk: mounts, other roots, exclusions, and what may be seen again.

use super::exclude::Exclude;
use super::filesystems::{Nature, by_magic, is_btrfs};
use super::host_root::HostRoot;
use super::mounts::MountTable;
use super::same_file::FileIdentity;
use super::tree::Identity;
use super::{WalkError, WalkOptions};
use crate::model::{Gap, GapReason};
use rustix::fd::AsFd;
use rustix::fs::{FileType, Stat, fstatfs};
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;

/// What belongs to a walk.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) exclude: Exclude,
    mounts: MountTable,
    network: bool,
    fuse: bool,
    one_file_system: bool,
    max_depth: Option<usize>,
    /// Named roots by directory: a walk from above leaves them to themselves.
    roots: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Device of an overlay → the one device of all its layers.
    overlays: HashMap<u64, u64>,
    /// Directories that are layers of an overlay.
    layers: HashSet<Identity>,
    /// Files that are mounted on another file.
    mounted_files: HashSet<Identity>,
}

impl Scope {
    pub(super) fn new(host: &HostRoot, options: &WalkOptions) -> Result<Self, WalkError> {
        let mut scope = Self {
            exclude: Exclude::new(&options.exclude)?,
            mounts: MountTable::of_this_system(host.path()),
            network: options.network_mounts,
            fuse: options.fuse,
            one_file_system: options.one_file_system,
            max_depth: options.max_depth,
            roots: HashMap::new(),
            overlays: HashMap::new(),
            layers: HashSet::new(),
            mounted_files: HashSet::new(),
        };
        scope.look_at_mounts(host);
        Ok(scope)
    }

    /// Finds out which overlays keep their layers' inode numbers, and which files are mounts. Only local file systems
    /// are asked: another one might never answer.
    fn look_at_mounts(&mut self, host: &HostRoot) {
        for mount in self.mounts.iter() {
            if mount.nature() != Nature::Local {
                continue;
            }
            let Ok(stat) = host.stat(&mount.point) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                self.mounted_files.insert((stat.st_dev, stat.st_ino));
            }
            let layers: Option<Vec<Identity>> = mount
                .layers()
                .iter()
                .map(|layer| {
                    let found = std::fs::metadata(layer).ok()?;
                    Some((found.dev(), found.ino()))
                })
                .collect();
            let Some(layers) = layers else { continue };
            // Inode numbers are those of the layers only where all lie on one file system.
            if let Some((dev, _)) = layers.first()
                && layers.iter().all(|(other, _)| other == dev)
            {
                self.overlays.insert(stat.st_dev, *dev);
                self.layers.extend(layers);
            }
        }
    }

    /// Takes the named roots, for walks from above to leave them out.
    pub(super) fn set_roots<'a>(&mut self, roots: impl Iterator<Item = &'a [u8]>) {
        for root in roots {
            if let Some((directory, name)) = super::split_path(root) {
                let names = self.roots.entry(directory.to_vec()).or_default();
                names.push(name.to_vec());
            }
        }
    }

    /// What in one directory is special, by its path.
    pub(super) fn within(&self, directory: &[u8]) -> Within<'_> {
        Within {
            scope: self,
            mounts: self.mounts.in_directory(directory),
            roots: self.roots.get(directory).map_or(&[], Vec::as_slice),
        }
    }

    /// Why a directory at this depth below its root is not listed.
    pub(super) fn too_deep(&self, path: &[u8], depth: usize) -> Option<Gap> {
        let limit = self.max_depth.filter(|limit| depth >= *limit)?;
        Some(by_choice(path, format!("deeper than --max-depth {limit}")))
    }

    /// Why an entry is excluded.
    pub(super) fn excluded(&self, path: &[u8], is_directory: bool) -> Option<Gap> {
        let pattern = self.exclude.pattern_for(path, is_directory)?;
        Some(by_choice(path, format!("excluded by {pattern}")))
    }

    fn refused(&self, path: &[u8], nature: Nature, name: &str) -> Option<Gap> {
        let detail = format!("{} ({name})", nature.as_str());
        match nature {
            Nature::Pseudo => Some(Gap::at(path, GapReason::NotSwept, detail)),
            Nature::Network if !self.network => Some(by_choice(path, detail)),
            Nature::Fuse if !self.fuse => Some(by_choice(path, detail)),
            _ => None,
        }
    }

    /// For a directory that is open and lies on another device than its parent: why it is not entered, or its nature.
    pub(super) fn crossing(
        &self,
        path: &[u8],
        fd: impl AsFd,
        is_mount_point: bool,
        leaves_root: bool,
    ) -> Result<Nature, Box<Gap>> {
        let magic = magic(fd);
        let (nature, name) = by_magic(magic);
        // The table's word, asked before, is more exact where it knows the mount.
        if !is_mount_point && let Some(gap) = self.refused(path, nature, name) {
            return Err(Box::new(gap));
        }
        if self.one_file_system && leaves_root && (is_mount_point || !is_btrfs(magic)) {
            let detail = "other file system".to_owned();
            return Err(Box::new(by_choice(path, detail)));
        }
        Ok(nature)
    }

    /// For a named root: why it is not walked, or its nature. A network or FUSE file system was asked for by its name.
    pub(super) fn root_nature(&self, path: &[u8], fd: impl AsFd) -> Result<Nature, Box<Gap>> {
        let (nature, name) = by_magic(magic(fd));
        match nature {
            Nature::Pseudo => match self.refused(path, nature, name) {
                Some(gap) => Err(Box::new(gap)),
                None => Ok(nature),
            },
            _ => Ok(nature),
        }
    }

    /// Whether files of a directory may be seen again through an overlay.
    pub(super) fn is_layered(&self, stat: &Stat) -> bool {
        self.overlays.contains_key(&stat.st_dev)
            || self.layers.contains(&(stat.st_dev, stat.st_ino))
    }

    /// The identity to remember a file by; none when it has only this path.
    pub(super) fn file_identity(&self, stat: &Stat, layered: bool) -> Option<FileIdentity> {
        let several = stat.st_nlink > 1
            || layered
            || (!self.mounted_files.is_empty()
                && self.mounted_files.contains(&(stat.st_dev, stat.st_ino)));
        several.then(|| FileIdentity {
            dev: *self.overlays.get(&stat.st_dev).unwrap_or(&stat.st_dev),
            ino: stat.st_ino,
            stamp: if layered { stamp(stat) } else { (0, 0, 0) },
        })
    }
}

/// Size and time of the last change to a file or its attributes.
#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "the widths of these fields differ between processors"
)]
fn stamp(stat: &Stat) -> (u64, i64, i64) {
    (
        u64::try_from(stat.st_size).unwrap_or(0),
        i64::try_from(stat.st_ctime).unwrap_or(0),
        i64::try_from(stat.st_ctime_nsec).unwrap_or(0),
    )
}

fn magic(fd: impl AsFd) -> u32 {
    // Magic numbers have 32 bits; some kernels extend the sign.
    fstatfs(fd).map_or(0, |statfs| {
        u32::try_from(statfs.f_type & 0xffff_ffff).unwrap_or(0)
    })
}

fn by_choice(path: &[u8], detail: String) -> Gap {
    Gap {
        by_choice: true,
        ..Gap::at(path, GapReason::NotSwept, detail)
    }
}

/// What is special in one directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within<'a> {
    scope: &'a Scope,
    mounts: &'a [(Vec<u8>, usize)],
    roots: &'a [Vec<u8>],
}

impl Within<'_> {
    /// Whether a name in it is a named root of its own.
    pub(super) fn is_root(&self, name: &[u8]) -> bool {
        self.roots.iter().any(|root| root == name)
    }

    /// Whether a name in it is a mount point.
    pub(super) fn is_mount_point(&self, name: &[u8]) -> bool {
        self.mounts.iter().any(|(known, _)| known == name)
    }

    /// Why a name in it is not even opened: what the mount table says of it.
    pub(super) fn refused(&self, path: &[u8], name: &[u8]) -> Option<Gap> {
        let (_, index) = self.mounts.iter().find(|(known, _)| known == name)?;
        let mount = self.scope.mounts.get(*index)?;
        let fs_type = String::from_utf8_lossy(&mount.fs_type);
        self.scope.refused(path, mount.nature(), &fs_type)
    }
}
