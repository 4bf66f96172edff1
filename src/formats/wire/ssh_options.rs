//! The options of an `authorized_keys` line (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Options that stand alone, without the `no-` that most may have before them.
const FLAGS: [&str; 9] = [
    "cert-authority",
    "restrict",
    "verify-required",
    "touch-required",
    "agent-forwarding",
    "port-forwarding",
    "pty",
    "user-rc",
    "x11-forwarding",
];

/// Options with a value in quotes.
const VALUES: [&str; 8] = [
    "command",
    "environment",
    "expiry-time",
    "from",
    "permitlisten",
    "permitopen",
    "principals",
    "tunnel",
];

/// The most quotes that a list of options is believed to have, hidden ones included: each key on a line asks anew.
const QUOTES_MAX: usize = 1024;

/// What the options of a grant say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The key signs certificates that may log in.
    pub cert_authority: bool,
    /// Names of `principals=`.
    pub principals: Vec<String>,
    /// The earliest `expiry-time=`.
    pub expiry: Option<Timestamp>,
    /// An `expiry-time=` is in the host's own time zone, and was taken as UTC.
    pub local_time: bool,
    /// An `expiry-time=` is no time.
    pub bad_time: bool,
    /// How many options sshd(8) has.
    pub known: usize,
    /// How many it has not.
    pub unknown: usize,
}

/// Where the list of options that `line` starts with ends: at the first blank outside quotes.
///
/// `None` when a quote stays open, or when there are more quotes than `QUOTES_MAX`.
pub fn end_of_list(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut quoted = false;
    for _ in 0..QUOTES_MAX {
        let rest = line.get(at..)?;
        let next = if quoted {
            memchr::memchr(b'"', rest)
        } else {
            memchr::memchr3(b'"', b' ', b'\t', rest)
        };
        let Some(next) = next else {
            return (!quoted).then_some(line.len());
        };
        let place = at + next;
        if line.get(place) != Some(&b'"') {
            return Some(place);
        }
        // As sshd does it: a backslash before a quote hides it, whatever stands before the backslash.
        let before = place.checked_sub(1).and_then(|before| line.get(before));
        quoted ^= before != Some(&b'\\');
        at = place + 1;
    }
    None
}

/// Reads a list of options; `None` when it has not the form of one, whatever the names.
pub fn read(list: &[u8]) -> Option<Options> {
    let mut options = Options::default();
    for (name, value) in pairs(list)? {
        let name = name.to_ascii_lowercase();
        match value {
            Some(value) => options.take_value(&name, &value),
            None => options.take_flag(&name),
        }
    }
    Some(options)
}

/// The name of an option, and its value where it has one.
pub type Pair<'a> = (&'a str, Option<Vec<u8>>);

/// The names of a list of options, and their values where they have one; `None` when it has not the form of one.
pub fn pairs(list: &[u8]) -> Option<Vec<Pair<'_>>> {
    let mut pairs = Vec::new();
    let mut rest = list;
    loop {
        let (name, tail) = rest.split_at_checked(end_of_name(rest))?;
        if name.is_empty() {
            return None;
        }
        let name = std::str::from_utf8(name).ok()?;
        rest = match tail {
            [b'=', b'"', value @ ..] => {
                let (value, tail) = quoted(value)?;
                pairs.push((name, Some(value)));
                tail
            }
            _ => {
                pairs.push((name, None));
                tail
            }
        };
        rest = match rest {
            [] => return Some(pairs),
            [b',', more @ ..] => more,
            _ => return None,
        };
    }
}

impl Options {
    fn take_flag(&mut self, name: &str) {
        let positive = name.strip_prefix("no-").unwrap_or(name);
        if FLAGS.contains(&positive) {
            self.known += 1;
            self.cert_authority |= name == "cert-authority";
        } else {
            self.unknown += 1;
        }
    }

    fn take_value(&mut self, name: &str, value: &[u8]) {
        if !VALUES.contains(&name) {
            self.unknown += 1;
            return;
        }
        self.known += 1;
        let value = String::from_utf8_lossy(value);
        match name {
            "principals" => self.principals.extend(
                value
                    .split(',')
                    .map(str::trim)
                    .filter(|p| !p.is_empty())
                    .map(str::to_owned),
            ),
            "expiry-time" => match moment(&value) {
                Some((time, local)) => {
                    self.expiry = Some(self.expiry.map_or(time, |earlier| earlier.min(time)));
                    self.local_time |= local;
                }
                None => self.bad_time = true,
            },
            _ => {}
        }
    }
}

fn end_of_name(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'@' | b'.')))
        .unwrap_or(bytes.len())
}

/// The value up to its closing quote, `\"` in it resolved, and what follows the quote.
fn quoted(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = bytes;
    loop {
        rest = match rest {
            [b'\\', b'"', tail @ ..] => {
                value.push(b'"');
                tail
            }
            [b'"', tail @ ..] => return Some((value, tail)),
            [byte, tail @ ..] => {
                value.push(*byte);
                tail
            }
            [] => return None,
        };
    }
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, UTC with a `Z`, else the host's own time.
///
/// Gives the time as if in UTC, and whether it was the host's own.
pub fn moment(text: &str) -> Option<(Timestamp, bool)> {
    let digits = text.trim_end_matches(['Z', 'z']);
    if text.len() - digits.len() > 1 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("0").parse::<i8>().ok();
    let time = DateTime::new(
        digits.get(..4)?.parse().ok()?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    );
    let time = TimeZone::UTC.to_timestamp(time.ok()?).ok()?;
    Some((time, digits.len() == text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_blanks_commas_and_hashes() {
        let line = br#"command="echo \"a, b\" # c",from="10.0.0.0/8,!10.1.*",NO-PTY ssh-rsa"#;
        let end = end_of_list(line).unwrap();
        assert_eq!(&line[end..], b" ssh-rsa");
        let options = read(&line[..end]).unwrap();
        assert_eq!((options.known, options.unknown), (3, 0));
        assert_eq!(end_of_list(b"command=\"open ssh-rsa"), None);
    }

    #[test]
    fn expiry_times_are_those_of_ssh_keygen() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let read = |text| moment(text).unwrap();
        assert_eq!(read("20300102Z"), (time("2030-01-02T00:00:00Z"), false));
        assert_eq!(read("203001020304"), (time("2030-01-02T03:04:00Z"), true));
        assert_eq!(
            read("20300102030405Z"),
            (time("2030-01-02T03:04:05Z"), false)
        );
        for wrong in [
            "",
            "Z",
            "2030",
            "20301302",
            "2030010203",
            "20300102ZZ",
            "2030010é",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_earliest_expiry_and_all_principals_count() {
        let list = br#"cert-authority,principals="a, b",expiry-time="20310101Z",expiry-time="20300101Z",expiry-time="x""#;
        let options = read(list).unwrap();
        assert!(options.cert_authority && options.bad_time && !options.local_time);
        assert_eq!(options.principals, ["a", "b"]);
        assert_eq!(options.expiry.unwrap().to_string(), "2030-01-01T00:00:00Z");
        assert_eq!(options.known, 5);
    }

    #[test]
    fn unknown_names_are_counted_and_other_forms_refused() {
        let options = read(br#"future="x",pty"#).unwrap();
        assert_eq!((options.known, options.unknown), (1, 1));
        // Flags take no value and values need one.
        assert_eq!(read(b"command").unwrap().unknown, 1);
        assert_eq!(read(br#"pty="x""#).unwrap().unknown, 1);
        for other in [&b""[..], b"a,,b", b"\"x\"", b"a=b", b"github.com:22"] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
