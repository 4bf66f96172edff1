//! The configuration file: TOML, read once before the sweep.

use super::passwords;
use crate::model::Budgets;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Passwords for some paths; the first rule that matches a path counts.
    #[serde(default)]
    pub(super) passwords: Vec<PasswordPaths>,
    /// What one file may cost with all that is unpacked from it.
    #[serde(default)]
    budgets: BudgetTable,
    /// Where it lies: what it names is relative to that.
    #[serde(skip)]
    pub(super) directory: PathBuf,
}

/// `[[passwords]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordPaths {
    /// Globs over paths as the host sees them.
    pub(super) paths: Vec<String>,
    /// A file with one password a line.
    pub(super) file: PathBuf,
}

/// `[budgets]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetTable {
    depth: Option<usize>,
    expanded_bytes: Option<u64>,
    ratio: Option<u64>,
    ratio_from_bytes: Option<u64>,
    members: Option<u64>,
    seconds: Option<u64>,
}

/// More would be deeper than the stack of a thread is made for.
const DEPTH_MAX: usize = 32;

impl Config {
    /// Reads the file that the user names; without one everything is as built in.
    pub(super) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let bytes = passwords::read(path)?;
        let name = path.display();
        let text = std::str::from_utf8(&bytes).with_context(|| format!("{name}: is not UTF-8"))?;
        let mut config: Self = toml::from_str(text).map_err(|error| {
            // Only the place and the reason: a line of it might hold what is no one's business.
            let line = error.span().map(|span| {
                let before = text.get(..span.start).unwrap_or_default();
                before.matches('\n').count() + 1
            });
            let place = line.map(|line| format!(":{line}")).unwrap_or_default();
            anyhow::anyhow!("{name}{place}: {}", error.message())
        })?;
        if config.budgets.depth.is_some_and(|depth| depth > DEPTH_MAX) {
            bail!("{name}: budgets.depth is at most {DEPTH_MAX}");
        }
        config.directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(config)
    }

    /// The budgets of a file, with what is built in where nothing is said.
    pub(super) fn budgets(&self, shallow: bool) -> Budgets {
        let table = &self.budgets;
        let built_in = Budgets::default();
        Budgets {
            shallow,
            depth: table.depth.unwrap_or(built_in.depth),
            expanded: table.expanded_bytes.unwrap_or(built_in.expanded),
            ratio: table.ratio.unwrap_or(built_in.ratio),
            ratio_from: table.ratio_from_bytes.unwrap_or(built_in.ratio_from),
            members: table.members.unwrap_or(built_in.members),
            seconds: table.seconds.unwrap_or(built_in.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_set_one_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.toml");
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Config::load(Some(&path))
        };
        let built_in = Budgets::default();
        assert_eq!(Config::load(None).unwrap().budgets(false), built_in);
        let some = load("[budgets]\ndepth = 3\nratio = 7\n")
            .unwrap()
            .budgets(true);
        assert_eq!((some.depth, some.ratio, some.shallow), (3, 7, true));
        assert_eq!(some.expanded, built_in.expanded);
        assert!(load("[budgets]\ndepth = 33\n").is_err());
        assert!(load("[budgets]\ndeep = 3\n").is_err());
    }
}
