//! Which paths the user left out.

use super::WalkError;
use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

/// Patterns over paths as the host sees them.
///
/// A pattern without `/` is matched against names at any depth. One with `/` is matched against whole paths: from the
/// root when it begins with `/`, at any depth otherwise. `*` and `?` do not cross `/`, `**` does. A pattern that ends in
/// `/` matches only directories.
#[derive(Debug)]
pub(super) struct Exclude {
    set: GlobSet,
    /// One for each glob of the set.
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    text: String,
    whole_path: bool,
    only_directories: bool,
}

impl Exclude {
    /// Understands the patterns.
    ///
    /// # Errors
    /// When one is no valid glob.
    pub(super) fn new(patterns: &[String]) -> Result<Self, WalkError> {
        let mut builder = GlobSetBuilder::new();
        let mut known = Vec::with_capacity(patterns.len());
        let wrong = |pattern: &str, error: globset::Error| WalkError::Pattern {
            pattern: pattern.to_owned(),
            reason: error.kind().to_string(),
        };
        for text in patterns {
            let (body, only_directories) = match text.strip_suffix('/') {
                Some(body) if !body.is_empty() => (body, true),
                _ => (text.as_str(), false),
            };
            let whole_path = body.contains('/');
            let glob = if whole_path && !body.starts_with('/') && !body.starts_with("**/") {
                format!("**/{body}")
            } else {
                body.to_owned()
            };
            let glob = GlobBuilder::new(&glob)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| wrong(text, error))?;
            builder.add(glob);
            known.push(Pattern {
                text: text.clone(),
                whole_path,
                only_directories,
            });
        }
        Ok(Self {
            set: builder
                .build()
                .map_err(|error| wrong(&patterns.join(" "), error))?,
            patterns: known,
        })
    }

    /// Whether no pattern was given.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The first pattern that leaves `path` out.
    pub(super) fn pattern_for(&self, path: &[u8], is_directory: bool) -> Option<&str> {
        if self.is_empty() {
            return None;
        }
        let name = super::split_path(path).map_or(path, |(_, name)| name);
        let first = |subject: &[u8], whole: bool| {
            let matches = self.set.matches_candidate(&Candidate::from_bytes(subject));
            matches.into_iter().find(|index| {
                self.patterns.get(*index).is_some_and(|pattern| {
                    pattern.whole_path == whole && (is_directory || !pattern.only_directories)
                })
            })
        };
        let by_path = first(path, true);
        let by_name = first(name, false);
        let index = match (by_path, by_name) {
            (Some(a), Some(b)) => a.min(b),
            (Some(a), None) | (None, Some(a)) => a,
            (None, None) => return None,
        };
        self.patterns
            .get(index)
            .map(|pattern| pattern.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(pattern: &str, path: &str, is_directory: bool) -> bool {
        Exclude::new(&[pattern.to_owned()])
            .unwrap()
            .pattern_for(path.as_bytes(), is_directory)
            .is_some()
    }

    #[test]
    fn patterns_match_as_an_operator_expects() {
        assert!(excluded("*.iso", "/a/b/c.iso", false));
        assert!(!excluded("*.iso", "/a/b.iso/c", false));
        assert!(excluded("/var/*", "/var/cache", true));
        assert!(!excluded("/var/*", "/var/cache/x", false));
        assert!(excluded("/var/**", "/var/cache/x", false));
        assert!(!excluded("/var/**", "/srv/var/x", false));
        assert!(excluded(
            "node_modules/.cache",
            "/srv/app/node_modules/.cache",
            true
        ));
        assert!(excluded("cache/", "/var/cache", true));
        assert!(!excluded("cache/", "/var/cache", false));
        assert!(excluded("[ab]?", "/x/a1", false));
        assert!(excluded(r"\*", "/x/*", false));
        assert!(!excluded(r"\*", "/x/y", false));
    }

    #[test]
    fn names_that_are_not_utf8_match_and_bad_patterns_are_errors() {
        let exclude = Exclude::new(&["*.bad".to_owned()]).unwrap();
        assert_eq!(
            exclude.pattern_for(b"/a/\xff\xfe.bad", false),
            Some("*.bad")
        );
        assert!(Exclude::new(&["[".to_owned()]).is_err());
    }
}
