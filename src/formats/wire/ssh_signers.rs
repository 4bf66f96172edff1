//! What stands before the key in a file of allowed signers (ssh-keygen(1), "ALLOWED SIGNERS").

use super::ssh_lead::is_blank;
use super::ssh_options;
use jiff::Timestamp;

/// The principals of a line, and its options.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Signers {
    /// Patterns of principals.
    pub principals: Vec<String>,
    /// The options as written.
    pub options: Option<String>,
    /// The key signs for others.
    pub cert_authority: bool,
    /// Start of validity.
    pub valid_after: Option<Timestamp>,
    /// End of validity.
    pub valid_before: Option<Timestamp>,
    /// A time is the host's own, and was taken as UTC.
    pub local_time: bool,
    /// A time is no time.
    pub bad_time: bool,
}

/// Reads the line up to the algorithm's name, without blanks before it. If `by_name`, the file calls itself one of
/// allowed signers; else a principal must have an `@`, or an option be one that no other file has.
pub fn read(before: &[u8], by_name: bool) -> Option<Signers> {
    let (written, rest) = first_token(before)?;
    let mut signers = Signers::default();
    for pattern in written.split(|b| *b == b',') {
        if pattern.is_empty() || !pattern.iter().all(|b| is_principal_byte(*b)) {
            return None;
        }
        let text = String::from_utf8_lossy(pattern).into_owned();
        signers.principals.push(text);
    }
    let options = rest.trim_ascii();
    if !options.is_empty() {
        signers.read_options(options)?;
        signers.options = Some(String::from_utf8_lossy(options).into_owned());
        return Some(signers);
    }
    // An address, and no `@revoked` of known hosts; `@` alone is not enough for a name.
    let address = |name: &String| {
        let (left, right) = name.trim_start_matches('!').split_once('@')?;
        let named = |part: &str| part.contains(|c: char| c.is_ascii_alphanumeric() || c == '*');
        (named(left) && named(right)).then_some(())
    };
    let addressed = signers.principals.iter().any(|p| address(p).is_some());
    (by_name || addressed).then_some(signers)
}

impl Signers {
    /// The options; none if one of them is not of this file.
    fn read_options(&mut self, list: &[u8]) -> Option<()> {
        if ssh_options::end_of_list(list)? != list.len() {
            return None;
        }
        for (name, value) in ssh_options::pairs(list)? {
            match (name.to_ascii_lowercase().as_str(), value) {
                ("cert-authority", None) => self.cert_authority = true,
                ("namespaces", Some(_)) => {}
                ("valid-after", Some(time)) => self.valid_after = self.time(&time),
                ("valid-before", Some(time)) => self.valid_before = self.time(&time),
                _ => return None,
            }
        }
        Some(())
    }

    fn time(&mut self, text: &[u8]) -> Option<Timestamp> {
        let read = std::str::from_utf8(text).ok().and_then(ssh_options::moment);
        match read {
            Some((time, local)) => {
                self.local_time |= local;
                Some(time)
            }
            None => {
                self.bad_time = true;
                None
            }
        }
    }
}

/// The principals, which may stand in quotes, and what follows their blanks.
fn first_token(before: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(quoted) = before.strip_prefix(b"\"") {
        let end = memchr::memchr(b'"', quoted)?;
        let rest = quoted.get(end + 1..)?;
        let blank = rest.first().is_some_and(|b| is_blank(*b));
        return blank.then_some((quoted.get(..end)?, rest));
    }
    let end = before.iter().position(|b| is_blank(*b))?;
    before.split_at_checked(end)
}

const fn is_principal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'@' | b'.' | b'-' | b'_' | b'*' | b'?' | b'+' | b'!' | b'/' | b'%'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_own_options_tell_signers() {
        let names = |text: &str, by_name| read(text.as_bytes(), by_name).map(|s| s.principals);
        for (text, by_name, expected) in [
            ("me@example.com ", false, Some(vec!["me@example.com"])),
            (
                "*@example.com,!x@example.com ",
                false,
                Some(vec!["*@example.com", "!x@example.com"]),
            ),
            (
                "\"a@b.c\" namespaces=\"git,file\" ",
                false,
                Some(vec!["a@b.c"]),
            ),
            (
                "deploy valid-after=\"20260101Z\" ",
                false,
                Some(vec!["deploy"]),
            ),
            ("* cert-authority ", false, Some(vec!["*"])),
            ("deploy ", true, Some(vec!["deploy"])),
            ("deploy ", false, None),
            ("@revoked ", false, None),
            ("@cert-authority * ", false, None),
            ("@ ", false, None),
            ("me@example.com restrict ", false, None),
            ("command=\"x\" ", true, None),
            ("web01,192.0.2.7 ", false, None),
            ("key: ", true, None),
        ] {
            let expected = expected.map(|e| e.into_iter().map(str::to_owned).collect());
            assert_eq!(names(text, by_name), expected, "{text:?}");
        }
    }

    #[test]
    fn times_are_read_as_ssh_keygen_does() {
        let line = br#"a@b valid-after="20260101Z",valid-before="203001020304",namespaces="git" "#;
        let signers = read(line, false).unwrap();
        let told = |t: Option<Timestamp>| t.unwrap().to_string();
        assert_eq!(told(signers.valid_after), "2026-01-01T00:00:00Z");
        assert_eq!(told(signers.valid_before), "2030-01-02T03:04:00Z");
        assert!(signers.local_time && !signers.bad_time);
    }
}
