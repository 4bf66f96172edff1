//! Where a blob lies: a file, or a member of a tar archive, as one kind of path.

use crate::archives::image::split_digest;
use crate::model::Member;
use crate::walk::Aliases;

/// The path of a file, and for a member of an archive what leads to it, so that a directory that is packed has the paths
/// that it had before: `/a/save.tar`, a zero byte, `tar/manifest.json`.
pub(super) type Key = Vec<u8>;

/// The key of what stands in these members of a file.
pub(super) fn key(path: &[u8], members: &[Member]) -> Key {
    let mut key = path.to_vec();
    members.iter().for_each(|member| enter(&mut key, member));
    key
}

/// Goes on into a member.
pub(super) fn enter(key: &mut Key, member: &Member) {
    enter_named(key, &member.container, &member.exact_name());
}

/// The same for one of this type and name.
pub(super) fn enter_named(key: &mut Key, container: &str, name: &[u8]) {
    key.push(0);
    key.extend_from_slice(container.as_bytes());
    key.push(b'/');
    key.extend_from_slice(plain(name));
}

/// A name without what some programs put before every one.
fn plain(mut name: &[u8]) -> &[u8] {
    while let Some(rest) = name.strip_prefix(b"./").or_else(|| name.strip_prefix(b"/")) {
        name = rest;
    }
    name
}

/// The key with that path of its file that is told.
pub(super) fn canonical(key: &[u8], aliases: &Aliases) -> Key {
    if aliases.is_empty() {
        return key.to_vec();
    }
    let end = memchr::memchr(0, key).unwrap_or(key.len());
    let (path, members) = key.split_at_checked(end).unwrap_or((key, &[]));
    [&*aliases.canonical(path), members].concat()
}

/// What is before the last slash, and what is behind it.
pub(super) fn split(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = memchr::memrchr(b'/', key)?;
    Some((key.get(..slash)?, key.get(slash.checked_add(1)?..)?))
}

/// A place beneath a directory.
pub(super) fn join(directory: &[u8], relative: &[u8]) -> Key {
    [directory, b"/", plain(relative)].concat()
}

/// How blobs are stored around a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Store {
    /// `blobs/ALGORITHM/HEX` (OCI image layout; containerd).
    Layout(Key),
    /// `blobs/ALGORITHM/HE/HEX/data` (distribution, the registry).
    Registry(Key),
    /// `HEX` beside it (`dir:` of skopeo).
    Flat(Key),
}

impl Store {
    /// The store in which a blob lies, and its digest.
    pub(super) fn of_blob(key: &[u8]) -> Option<(Self, String)> {
        let (above, name) = split(key)?;
        let (hex, above, is_data) = match name {
            b"data" => {
                let (above, hex) = split(above)?;
                let (above, first) = split(above)?;
                (hex, hex.starts_with(first).then_some(above)?, true)
            }
            hex => (hex, above, false),
        };
        let (above, algorithm) = split(above)?;
        let (directory, blobs) = split(above)?;
        let digest = [algorithm, b":", hex].concat();
        let digest = String::from_utf8(digest).ok()?;
        split_digest(&digest).filter(|_| blobs == b"blobs")?;
        let directory = directory.to_vec();
        let store = match is_data {
            true => Self::Registry(directory),
            false => Self::Layout(directory),
        };
        Some((store, digest))
    }

    /// Where it keeps a blob.
    pub(super) fn blob(&self, digest: &str) -> Key {
        let (algorithm, hex) = split_digest(digest).unwrap_or_default();
        match self {
            Self::Layout(directory) => {
                join(directory, format!("blobs/{algorithm}/{hex}").as_bytes())
            }
            Self::Registry(directory) => {
                let first = hex.get(..2).unwrap_or_default();
                let name = format!("blobs/{algorithm}/{first}/{hex}/data");
                join(directory, name.as_bytes())
            }
            Self::Flat(directory) => join(directory, hex.as_bytes()),
        }
    }
}

/// The lists of containers/storage with overlay directories, beside the directory `overlay` with a directory for each layer.
pub(super) const STORED_IMAGES: &[u8] = b"/overlay-images/images.json";
pub(super) const STORED_LAYERS: &[u8] = b"/overlay-layers/layers.json";

/// Whether a path may be that of a document of an image. What it is, its content says.
pub(super) fn may_be_document(path: &[u8]) -> bool {
    let name = name_of(path);
    matches!(name, b"index.json" | b"manifest.json")
        || path.ends_with(STORED_IMAGES)
        || path.ends_with(STORED_LAYERS)
        || name.strip_suffix(b".json").is_some_and(is_hex)
        || is_blob(path)
        || name == b"link" && path.ends_with(b"/current/link")
}

/// Whether a path may be that of a layer.
pub(super) fn may_be_layer(path: &[u8]) -> bool {
    let name = name_of(path);
    let stem = [&b".tar"[..], b".tar.gz", b".tgz", b".tar.zst"]
        .iter()
        .find_map(|ending| name.strip_suffix(*ending));
    name == b"layer.tar" || stem.is_some_and(is_hex) || is_blob(path)
}

/// A digest's digits, or in a registry the file beneath them.
fn is_blob(path: &[u8]) -> bool {
    match split(path) {
        Some((above, b"data")) => is_hex(name_of(above)),
        _ => is_hex(name_of(path)),
    }
}

fn name_of(path: &[u8]) -> &[u8] {
    split(path).map_or(path, |(_, name)| name)
}

fn is_hex(name: &[u8]) -> bool {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    matches!(name.len(), 64 | 96 | 128) && name.iter().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_found_again_by_their_digests() {
        let hex = "0123456789abcdef".repeat(4);
        let digest = format!("sha256:{hex}");
        for (key, name) in [
            (format!("/a/blobs/sha256/{hex}"), "Layout"),
            (format!("/r/blobs/sha256/01/{hex}/data"), "Registry"),
            (format!("/s.tar\0tar/blobs/sha256/{hex}"), "Layout"),
        ] {
            let (store, told) = Store::of_blob(key.as_bytes()).unwrap();
            assert_eq!(told, digest);
            assert_eq!(store.blob(&digest), key.as_bytes());
            assert!(format!("{store:?}").starts_with(name));
            assert!(may_be_document(key.as_bytes()) && may_be_layer(key.as_bytes()));
        }
        for key in [
            format!("/a/sha256/{hex}"),
            format!("/r/blobs/sha256/02/{hex}/data"),
            "/a/blobs/sha256/0123".to_owned(),
            hex,
        ] {
            assert!(Store::of_blob(key.as_bytes()).is_none(), "{key}");
        }
    }
}
