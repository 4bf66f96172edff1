//! Layers that are plain directories, as podman keeps them: what a later one removes is asked of the file system.

use crate::model::Removed;
use crate::walk::{HostRoot, Overlaid};

/// The directory of a layer in which its files are.
const CONTENT: &[u8] = b"/diff/";

/// The ways to take a path for a file in a layer: the layer's directory, and the path in it.
pub(super) fn places(path: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    memchr::memmem::find_iter(path, CONTENT).filter_map(|at| {
        let end = at.checked_add(CONTENT.len())?;
        Some((path.get(..end.checked_sub(1)?)?, path.get(end..)?))
    })
}

/// Whether a layer removes what a lower one has at this path.
pub(super) fn removes(root: &HostRoot, layer: &[u8], path: &[u8]) -> Option<Removed> {
    let mut at = layer.to_vec();
    let mut removed = None;
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        at.push(b'/');
        // fuse-overlayfs without devices has whiteouts as layers have them.
        let marks = [&b".wh..wh..opq"[..], &[b".wh.", part].concat()];
        let has = |name: &&[u8]| root.overlaid(&[&*at, *name].concat()) == Overlaid::Other;
        if marks.iter().any(has) {
            removed = Some(Removed::Deleted);
        }
        at.extend_from_slice(part);
        let is_last = parts.peek().is_none();
        match root.overlaid(&at) {
            Overlaid::Nothing => return removed,
            Overlaid::Whiteout => return Some(Removed::Deleted),
            Overlaid::Directory { .. } | Overlaid::Other if is_last => {
                return Some(Removed::Replaced);
            }
            Overlaid::Other => return Some(Removed::Deleted),
            Overlaid::Directory { opaque: true } => removed = Some(Removed::Deleted),
            Overlaid::Directory { opaque: false } => {}
        }
    }
    removed
}
