//! Files that the distribution's package managers installed.
//!
//! One file per manager behind [`Manager`]; a further one is a further line in [`MANAGERS`].

mod apk;
mod dpkg;
mod rpm;

use super::index::{Digests, FileIndex, Standing};
use super::rooted::Rooted;

/// A package manager's database on disk.
trait Manager: Sync {
    /// Adds what the manager knows of the host at `rooted`, paths through [`Aliases::real`].
    fn read(&self, rooted: &Rooted, aliases: &Aliases, index: &mut FileIndex);
}

static MANAGERS: &[&dyn Manager] = &[&dpkg::Dpkg, &rpm::Rpm, &apk::Apk];

/// The package managers' lists of one host.
pub(super) struct Vendor {
    aliases: Aliases,
    index: FileIndex,
}

impl Vendor {
    pub(super) fn load(rooted: &Rooted) -> Self {
        let aliases = Aliases::load(rooted);
        let mut index = FileIndex::default();
        for manager in MANAGERS {
            manager.read(rooted, &aliases, &mut index);
        }
        Self {
            aliases,
            index: index.finish(),
        }
    }

    /// What the lists say of a file.
    pub(super) fn look(&self, path: &[u8], digests: Digests<'_>) -> Option<Standing> {
        self.index.look(&self.aliases.real(path), digests)
    }

    /// Number of files known.
    pub(super) fn files(&self) -> usize {
        self.index.len()
    }
}

/// Directories that are links into `/usr` (merged `/usr`): lists may say `/lib/x` of what is `/usr/lib/x`.
#[derive(Debug, Default)]
struct Aliases(Vec<(Vec<u8>, Vec<u8>)>);

impl Aliases {
    fn load(rooted: &Rooted) -> Self {
        let names: [&[u8]; 7] = [
            b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libx32", b"libo32",
        ];
        let aliases = names.into_iter().filter_map(|name| {
            let usr = [b"usr/", name].concat();
            let target = rooted.link_target(name)?;
            let target = target.strip_prefix(b"/").unwrap_or(&target);
            // Some merge `sbin` into `bin` too; whatever below `usr` it is, it is the real place.
            (target == usr || target.starts_with(b"usr/"))
                .then(|| ([b"/", name, b"/"].concat(), [b"/", target, b"/"].concat()))
        });
        let mut aliases: Vec<_> = aliases.collect();
        // Fedora and Arch: /usr/sbin -> bin.
        if rooted.link_target(b"usr/sbin").as_deref() == Some(b"bin") {
            aliases.push((b"/usr/sbin/".to_vec(), b"/usr/bin/".to_vec()));
        }
        Self(aliases)
    }

    /// An absolute path with such a leading link resolved.
    fn real<'p>(&self, path: &'p [u8]) -> std::borrow::Cow<'p, [u8]> {
        let mut real = std::borrow::Cow::Borrowed(path);
        for (link, target) in &self.0 {
            if let Some(rest) = real.strip_prefix(link.as_slice()) {
                real = std::borrow::Cow::Owned([target, rest].concat());
            }
        }
        real
    }
}
