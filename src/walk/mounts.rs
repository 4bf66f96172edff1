//! The mount table: `/proc/self/mountinfo` (proc(5)), read relative to a host's root.

use super::filesystems::{Nature, by_name};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where it is mounted: absolute, as this process sees it.
    pub(super) point: Vec<u8>,
    /// Its type, as `ext4` or `fuse.sshfs`.
    pub(super) fs_type: Vec<u8>,
    /// Options of the file system itself, as `lowerdir=…`.
    pub(super) options: Vec<u8>,
}

impl Mount {
    /// How its file system is treated.
    pub(super) fn nature(&self) -> Nature {
        by_name(&self.fs_type)
    }

    /// The directories that an overlay is made of; nothing for other types.
    pub(super) fn layers(&self) -> Vec<PathBuf> {
        if self.fs_type != b"overlay" {
            return Vec::new();
        }
        let mut layers = Vec::new();
        for option in self.options.split(|b| *b == b',') {
            let Some(at) = memchr::memchr(b'=', option) else {
                continue;
            };
            let (key, value) = option.split_at(at);
            let value = value.get(1..).unwrap_or_default();
            match key {
                b"lowerdir" => layers.extend(split_layers(value)),
                b"upperdir" | b"lowerdir+" | b"datadir+" => layers.push(value.to_vec()),
                _ => {}
            }
        }
        layers
            .iter()
            .filter(|layer| !layer.is_empty())
            .map(|layer| PathBuf::from(std::ffi::OsStr::from_bytes(layer)))
            .collect()
    }
}

/// Splits `lowerdir` at its colons; `\:` is a colon that belongs to a name.
fn split_layers(value: &[u8]) -> Vec<Vec<u8>> {
    let mut layers = vec![Vec::new()];
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b':' => {
                layers.push(Vec::new());
                continue;
            }
            b'\\' => bytes.next().unwrap_or(&b'\\'),
            other => other,
        };
        if let Some(layer) = layers.last_mut() {
            layer.push(*byte);
        }
    }
    layers
}

/// Reads the text of a `mountinfo`; lines that do not have its form are passed over.
pub(super) fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|b| *b == b'\n').filter_map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> Option<Mount> {
    // id parent major:minor root point options [optional fields …] - type source super-options
    let mut fields = line.split(|b| *b == b' ');
    let point = fields.nth(4)?;
    fields.by_ref().find(|field| *field == b"-")?;
    let fs_type = fields.next()?;
    let options = fields.nth(1).unwrap_or_default();
    Some(Mount {
        point: unescape(point),
        fs_type: unescape(fs_type),
        options: unescape(options),
    })
}

/// Undoes the octal escapes of blank, tab, newline, backslash and hash.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| *byte == b'\\').and_then(|digits| {
            let text = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(text, 8).ok()
        });
        if let Some(value) = octal {
            out.push(value);
            rest = tail.get(3..).unwrap_or_default();
        } else {
            out.push(*byte);
            rest = tail;
        }
    }
    out
}

/// The mounts beneath a host's root, found by directory and name.
#[derive(Debug, Default)]
pub(super) struct MountTable {
    mounts: Vec<Mount>,
    /// Path of a directory as the host sees it → names in it that are mount points, with the mount.
    by_directory: HashMap<Vec<u8>, Vec<(Vec<u8>, usize)>>,
}

impl MountTable {
    /// The running system's table for the host whose root directory is `root`; empty where it cannot be read.
    pub(super) fn of_this_system(root: &Path) -> Self {
        let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        Self::new(parse(&text), root)
    }

    /// The table for the host whose root directory is `root`, an absolute path without links.
    pub(super) fn new(mounts: Vec<Mount>, root: &Path) -> Self {
        let mut table = Self::default();
        for mut mount in mounts {
            let Some(point) = beneath(&mount.point, root.as_os_str().as_bytes()) else {
                continue;
            };
            mount.point = point;
            let index = table.mounts.len();
            if let Some((directory, name)) = super::split_path(&mount.point) {
                let names = table.by_directory.entry(directory.to_vec()).or_default();
                // A later mount on the same point hides the earlier one.
                names.retain(|(known, _)| known != name);
                names.push((name.to_vec(), index));
            }
            table.mounts.push(mount);
        }
        table
    }

    /// The mount points that lie directly in a directory.
    pub(super) fn in_directory(&self, directory: &[u8]) -> &[(Vec<u8>, usize)] {
        self.by_directory.get(directory).map_or(&[], Vec::as_slice)
    }

    /// One mount.
    pub(super) fn get(&self, index: usize) -> Option<&Mount> {
        self.mounts.get(index)
    }

    /// All mounts beneath the root; points as the host sees them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter()
    }
}

/// `path` as seen from `root`, when it is `root` or lies beneath it.
fn beneath(path: &[u8], root: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(root.strip_suffix(b"/").unwrap_or(root))?;
    match rest.first() {
        None => Some(b"/".to_vec()),
        Some(b'/') => Some(rest.to_vec()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br"22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:39 / /mnt/my\040share rw,relatime shared:9 master:2 - nfs4 srv:/a\134b rw,vers=4.2
41 27 0:40 / /home/u/remote rw - fuse.sshfs u@h: rw,user_id=1000
42 27 8:1 /sub /srv/www rw - ext4 /dev/sda1 rw
43 27 0:50 / /merged rw - overlay overlay rw,lowerdir=/l/a:/l/b\134:c,upperdir=/u,workdir=/w
44 27 0:51 / /srv/www ro - tmpfs none rw
short line
45 27 0:52 / /broken rw no separator
";

    #[test]
    fn lines_with_escapes_and_optional_fields_are_read() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 7);
        assert_eq!(mounts[2].point, b"/mnt/my share");
        assert_eq!(mounts[2].nature(), Nature::Network);
        assert_eq!(mounts[3].fs_type, b"fuse.sshfs");
        assert_eq!(mounts[3].nature(), Nature::Fuse);
        assert_eq!(
            mounts[5].layers(),
            ["/l/a", "/l/b:c", "/u"].map(PathBuf::from)
        );
        assert_eq!(unescape(br"\011\012\043\1x\\"), b"\t\n#\\1x\\\\");
    }

    #[test]
    fn the_table_is_relative_to_the_root_and_the_last_mount_wins() {
        let table = MountTable::new(parse(TEXT), Path::new("/"));
        let (name, index) = &table.in_directory(b"/srv")[0];
        assert_eq!(name, b"www");
        assert_eq!(table.get(*index).unwrap().fs_type, b"tmpfs");
        assert_eq!(table.in_directory(b"/srv").len(), 1);
        assert_eq!(table.in_directory(b"/").len(), 2);

        let table = MountTable::new(parse(TEXT), Path::new("/home/u"));
        assert_eq!(table.iter().count(), 1);
        assert_eq!(table.in_directory(b"/")[0].0, b"remote");
        assert!(beneath(b"/home/user", b"/home/u").is_none());
    }
}
