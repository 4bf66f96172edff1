//! Path patterns: `*`, `?`, `[…]` within a component, `**` over components.
//!
//! A row's pattern is asked two questions that a compiled regular expression cannot both answer: does it
//! match this path, and may it match something below this directory.

/// A pattern, split into components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    components: Vec<Vec<char>>,
}

/// How far a path leads into a pattern.
struct Reach {
    /// A directory above the path matches.
    above: bool,
    /// The path matches.
    at: bool,
    /// The path matches, or something below it could.
    alive: bool,
}

impl Glob {
    /// Reads an absolute pattern.
    pub(super) fn read(pattern: &str) -> Self {
        Self {
            components: components(pattern).map(|c| c.chars().collect()).collect(),
        }
    }

    /// Whether the pattern matches the whole path.
    pub(super) fn matches(&self, path: &str) -> bool {
        self.reach(path).at
    }

    /// Whether the pattern matches the path, a directory above it, or could match something below it.
    pub(super) fn touches(&self, path: &str) -> bool {
        let reach = self.reach(path);
        reach.above || reach.alive
    }

    /// The directory that is named before the first wildcard.
    pub(super) fn base(&self) -> String {
        let mut base = String::new();
        let literal = self
            .components
            .iter()
            .take_while(|c| !c.iter().any(|x| "*?[".contains(*x)));
        for component in literal.take(self.components.len().saturating_sub(1)) {
            base.push('/');
            base.extend(component);
        }
        if base.is_empty() {
            "/".to_owned()
        } else {
            base
        }
    }

    /// Whether the pattern matches the path or a directory above it.
    pub(super) fn matches_at_or_above(&self, path: &str) -> bool {
        let reach = self.reach(path);
        reach.above || reach.at
    }

    /// Runs the components as a nondeterministic automaton.
    fn reach(&self, path: &str) -> Reach {
        let mut above = false;
        let last = self.components.len();
        let mut states = vec![false; last + 1];
        if let Some(first) = states.first_mut() {
            *first = true;
        }
        self.skip_double_stars(&mut states);
        for component in components(path) {
            above |= states.last() == Some(&true);
            let name: Vec<char> = component.chars().collect();
            let mut next = vec![false; last + 1];
            for (index, pattern) in self.components.iter().enumerate() {
                if states.get(index) != Some(&true) {
                    continue;
                }
                let to = if is_double_star(pattern) {
                    index
                } else if component_matches(pattern, &name) {
                    index + 1
                } else {
                    continue;
                };
                if let Some(slot) = next.get_mut(to) {
                    *slot = true;
                }
            }
            states = next;
            self.skip_double_stars(&mut states);
        }
        Reach {
            above,
            at: states.last() == Some(&true),
            alive: states.contains(&true),
        }
    }

    /// `**` also stands for no component at all.
    fn skip_double_stars(&self, states: &mut [bool]) {
        for (index, pattern) in self.components.iter().enumerate() {
            if is_double_star(pattern)
                && states.get(index) == Some(&true)
                && let Some(slot) = states.get_mut(index + 1)
            {
                *slot = true;
            }
        }
    }
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|c| !c.is_empty() && *c != ".")
}

fn is_double_star(component: &[char]) -> bool {
    component == ['*', '*']
}

/// Two pointers, going back to the last star only: linear for one star, never exponential.
fn component_matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class_matches(pattern.get(p..).unwrap_or_default(), name.get(n).copied()),
            Some(c) if Some(c) == name.get(n) => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(width), _) => {
                p += width;
                n += 1;
            }
            (None, Some((star_p, star_n))) => {
                star = Some((star_p, star_n + 1));
                p = star_p + 1;
                n = star_n + 1;
            }
            (None, None) => return false,
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|&c| c == '*')
}

/// Matches `[…]` at the start of the pattern: its width in the pattern, or none. An unclosed one is a literal.
fn class_matches(pattern: &[char], c: Option<char>) -> Option<usize> {
    let c = c?;
    let body = pattern.get(1..)?;
    let negated = matches!(body.first(), Some('!' | '^'));
    let body = if negated { body.get(1..)? } else { body };
    let Some(end) = body.iter().skip(1).position(|&x| x == ']').map(|i| i + 1) else {
        return (c == '[').then_some(1);
    };
    let set = body.get(..end)?;
    let mut hit = false;
    let mut at = 0;
    while let Some(&low) = set.get(at) {
        match (set.get(at + 1), set.get(at + 2)) {
            (Some('-'), Some(&high)) => {
                hit |= low <= c && c <= high;
                at += 3;
            }
            _ => {
                hit |= low == c;
                at += 1;
            }
        }
    }
    (hit != negated).then_some(end + 2 + usize::from(negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (pattern, path, expected) in [
            ("/etc/ssl/*.pem", "/etc/ssl/a.pem", true),
            ("/etc/ssl/*.pem", "/etc/ssl/b/a.pem", false),
            ("/etc/**/*.pem", "/etc/a.pem", true),
            ("/etc/**/*.pem", "/etc/a/b/c.pem", true),
            ("/etc/**/*.pem", "/etc/a/b/c.key", false),
            ("/etc/**", "/etc/a/b", true),
            ("/home/*/.ssh/id_?sa", "/home/bob/.ssh/id_rsa", true),
            ("/srv/[a-c]x/[!0-9]", "/srv/bx/z", true),
            ("/srv/[a-c]x/[!0-9]", "/srv/bx/5", false),
            ("/srv/[a-c]x", "/srv/dx", false),
            ("/srv/keys*", "/srv/keys.d/inner", false),
            ("/srv/a*b*c", "/srv/aXbXbXc", true),
            ("/srv/a*b*c", "/srv/aXbXbX", false),
            ("/srv/[", "/srv/[", true),
        ] {
            assert_eq!(
                Glob::read(pattern).matches(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn touching_and_base() {
        let glob = Glob::read("/etc/ssl/*/private/*.key");
        assert!(glob.touches("/etc/ssl") && glob.touches("/etc/ssl/x") && glob.touches("/"));
        assert!(Glob::read("/srv/keys*").matches_at_or_above("/srv/keys.d/inner"));
        assert!(!glob.touches("/etc/ssh") && !glob.touches("/etc/ssl/x/public"));
        assert_eq!(glob.base(), "/etc/ssl");
        assert_eq!(Glob::read("/**/x").base(), "/");
        assert_eq!(Glob::read("/etc/a").base(), "/etc");
    }

    #[test]
    fn many_stars_end() {
        let pattern = format!("/{}b", "a*".repeat(40));
        assert!(!Glob::read(&pattern).matches(&format!("/{}", "a".repeat(400))));
    }
}
