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
    fn patterns_and_lists() {
        assert!(matches(b"*", b"") && matches(b"a*c", b"abbc") && matches(b"a?c", b"abc"));
        assert!(!matches(b"a?c", b"ac") && !matches(b"a*", b"ba") && !matches(b"", b"a"));
        assert!(in_list(b"alice,b*", &[b"bob"]));
        assert!(!in_list(b"b*,!bob", &[b"bob"]) && !in_list(b"!bob", &[b"eve"]));
    }
}
