//! Ruby: `gems/NAME-VERSION/…` with `specifications/NAME-VERSION.gemspec`, which RubyGems writes last. It keeps no
//! digests of single files, so a file counts as long as it is not newer.

use super::{Ecosystem, Question, first, package_of};
use crate::host::index::Standing;

pub(super) struct Gem;

impl Ecosystem for Gem {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (before, rest) = question.after(b"/gems/")?;
        let (directory, _) = first(rest)?;
        let package = package_of("gem", directory)?;
        let home = before.strip_suffix(b"gems/")?;
        let paths = [&b"specifications/"[..], b"specifications/default/"];
        let specification = paths
            .iter()
            .map(|place| [home, place, directory, b".gemspec"].concat())
            .find(|path| question.rooted.exists(path))?;
        Some(question.unmodified_since(&specification, package.into()))
    }
}
