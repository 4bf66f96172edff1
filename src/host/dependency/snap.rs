//! Snaps: `/snap/NAME/REVISION/…` is the read-only mount of `/var/lib/snapd/snaps/NAME_REVISION.snap`.
//!
//! Both are looked for, as is the name in `meta/snap.yaml`. An unpacked copy elsewhere is not recognised.

use super::{Ecosystem, Question, first};
use crate::host::index::Standing;

const YAML_LIMIT: u64 = 1 << 20;

pub(super) struct Snap;

impl Ecosystem for Snap {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let mounts = [&b"/snap/"[..], b"/var/lib/snapd/snap/"];
        let (mount, rest) = mounts
            .iter()
            .find_map(|mount| Some((*mount, question.path.strip_prefix(*mount)?)))?;
        let (name, rest) = first(rest)?;
        let (revision, _) = first(rest)?;
        let image = [b"/var/lib/snapd/snaps/", name, b"_", revision, b".snap"].concat();
        let yaml = [mount, name, b"/", revision, b"/meta/snap.yaml"].concat();
        let yaml = question.rooted.read(&yaml, YAML_LIMIT)?;
        let field = |wanted: &str| {
            let lines = std::str::from_utf8(&yaml).ok()?.lines();
            let value = lines.filter_map(|line| line.strip_prefix(wanted)).next()?;
            Some(value.trim().trim_matches(['\'', '"']).to_owned())
        };
        if field("name:")?.as_bytes() != name {
            return None;
        }
        let revision = String::from_utf8_lossy(revision).into_owned();
        let version = field("version:").unwrap_or(revision);
        let package = format!("snap:{}@{version}", String::from_utf8_lossy(name));
        Some(question.unmodified_since(&image, package.into()))
    }
}
