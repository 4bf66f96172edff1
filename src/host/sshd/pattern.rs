//! Patterns of OpenSSH (ssh_config(5), "PATTERNS"): `*`, `?`, lists with commas, and `!` before one that must not match.

/// Whether a pattern with `*` and `?` is the whole of a text.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

/// Whether a pattern as the shell has it (glob(7)) is the whole of a name: with sets of characters, and a backslash before what means itself.
pub(super) fn names(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    let mut back: Option<(&[u8], &[u8])> = None;
    loop {
        let next = match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                back = Some((rest, name));
                Some((rest, name))
            }
            ([], []) => return true,
            (_, [byte, rest @ ..]) => one(pattern, *byte).map(|pattern| (pattern, rest)),
            (_, []) => return false,
        };
        (pattern, name) = match (next, back) {
            (Some(next), _) => next,
            // One more character for the last star.
            (None, Some((after, [_, rest @ ..]))) => {
                back = Some((after, rest));
                (after, rest)
            }
            (None, _) => return false,
        };
    }
}

/// What follows the first element of a pattern, if that takes a character.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (takes, rest) = match pattern {
        [b'?', rest @ ..] => (true, rest),
        [b'[', set @ ..] => match in_set(set, byte) {
            Some(found) => found,
            None => (byte == b'[', set),
        },
        [b'\\', escaped, rest @ ..] => (*escaped == byte, rest),
        [other, rest @ ..] => (*other == byte, rest),
        [] => return None,
    };
    takes.then_some(rest)
}

/// Whether a set, of which the opening bracket was read, has a character, and what follows it; none if it is not closed.
fn in_set(set: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (is_negated, set) = match set {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    let mut has = false;
    let mut at = 0;
    // A closing bracket that stands first means itself.
    while at == 0 || *set.get(at)? != b']' {
        let low = *set.get(at)?;
        let high = match set.get(at + 1..at + 3) {
            Some([b'-', high]) if *high != b']' => Some(*high),
            _ => None,
        };
        has |= (low..=high.unwrap_or(low)).contains(&byte);
        at += if high.is_some() { 3 } else { 1 };
    }
    Some((has != is_negated, set.get(at + 1..)?))
}

/// Whether one of the texts matches a list, and none a pattern with `!`.
pub(super) fn in_list(list: &[u8], texts: &[&[u8]]) -> bool {
    let mut found = false;
    for pattern in list.split(|b| *b == b',') {
        let (forbids, pattern) = match pattern {
            [b'!', rest @ ..] => (true, rest),
            pattern => (false, pattern),
        };
        if texts.iter().any(|text| matches(pattern, text)) {
            if forbids {
                return false;
            }
            found = true;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_names() {
        for (pattern, fits, others) in [
            (
                "[0-4]*.conf",
                &["00.conf", "4.conf"][..],
                &["50.conf", "0.con"][..],
            ),
            ("[!0-4]?.conf", &["50.conf"], &["00.conf", "5.conf"]),
            ("[^a]", &["b"], &["a", ""]),
            ("[]a-]x", &["]x", "-x", "ax"], &["bx", "x"]),
            ("a[b", &["a[b"], &["ab"]),
            (r"\*\[", &["*["], &["a["]),
            ("*[1-3]*9", &["x1y9", "39", "a2b9c9"], &["9", "x4y9", "19a"]),
            ("*", &["", "a"], &[]),
        ] {
            let names = |name: &&str| names(pattern.as_bytes(), name.as_bytes());
            assert!(fits.iter().all(names), "{pattern}");
            assert!(!others.iter().any(names), "{pattern}");
        }
    }

    #[test]
    fn patterns_and_lists() {
        assert!(matches(b"*", b"") && matches(b"a*c", b"abbc") && matches(b"a?c", b"abc"));
        assert!(!matches(b"a?c", b"ac") && !matches(b"a*", b"ba") && !matches(b"", b"a"));
        assert!(in_list(b"alice,b*", &[b"bob"]));
        assert!(!in_list(b"b*,!bob", &[b"bob"]) && !in_list(b"!bob", &[b"eve"]));
    }
}
