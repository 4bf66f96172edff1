//! rustup: `toolchains/NAME/lib/rustlib/manifest-COMPONENT` lists what a component installed, as `file:PATH` or
//! `dir:PATH`. There are no digests, so a file counts as long as it is not newer than the channel manifest, which
//! is written last.

use super::{Ecosystem, Question, first};
use crate::host::index::{FileIndex, Standing};
use crate::host::rooted::Rooted;

const MANIFEST_LIMIT: u64 = 32 << 20;
const MOST_NAMES: usize = 10_000;

pub(super) struct Rustup;

impl Ecosystem for Rustup {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (before, rest) = question.after(b"/toolchains/")?;
        let (name, relative) = first(rest)?;
        let root = [before, name].concat();
        let toolchain = String::from_utf8_lossy(name);
        // A listed directory stands for all that is in it.
        let mut end = relative.len();
        loop {
            let prefix = relative.get(..end)?;
            let listed = question.look("rustup", &root, prefix, |rooted, index| {
                installed(rooted, &root, &toolchain, index);
            });
            if let Some(Standing::Listed(package) | Standing::Proven(package)) = listed {
                let written = [
                    root.as_slice(),
                    b"/lib/rustlib/multirust-channel-manifest.toml",
                ]
                .concat();
                return Some(question.unmodified_since(&written, package));
            }
            end = prefix.iter().rposition(|&b| b == b'/')?;
        }
    }
}

fn installed(rooted: &Rooted, root: &[u8], toolchain: &str, index: &mut FileIndex) {
    let directory = [root, b"/lib/rustlib"].concat();
    for name in rooted.names(&directory, MOST_NAMES).unwrap_or_default() {
        let Some(component) = name.0.strip_prefix(b"manifest-") else {
            continue;
        };
        let path = [directory.as_slice(), b"/", name.0.as_slice()].concat();
        let Some(manifest) = rooted.read(&path, MANIFEST_LIMIT) else {
            continue;
        };
        let component = String::from_utf8_lossy(component);
        let Some(number) = index.package(&format!("rustup:{component}@{toolchain}")) else {
            continue;
        };
        for line in manifest.split(|&b| b == b'\n') {
            let listed = line
                .strip_prefix(b"file:")
                .or_else(|| line.strip_prefix(b"dir:"));
            if let Some(listed) = listed.filter(|path| !path.is_empty()) {
                index.file(number, listed, None);
            }
        }
    }
}
