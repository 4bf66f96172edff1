//! What stands before the key on its line, and so what the line is (sshd(8)).

use super::ssh_options::{self, Options};
use super::ssh_signers::{self, Signers};

/// What stands before a key on its line.
#[derive(Debug, PartialEq, Eq)]
pub enum Lead<'a> {
    /// Nothing: a public key that stands alone, or a grant without options.
    Nothing,
    /// `#`: the line is a comment.
    Comment,
    /// The options of a grant.
    Options {
        /// As written.
        written: &'a [u8],
        /// What they say.
        options: Options,
    },
    /// The hosts of a `known_hosts` line.
    Hosts {
        /// `cert-authority` or `revoked`.
        marker: Option<&'static str>,
        /// The patterns, between commas.
        patterns: &'a [u8],
    },
    /// The principals of a line of allowed signers, and its options.
    Signers(Box<Signers>),
    /// Other text, such as program text or YAML.
    Other,
}

/// A lead and its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// What it is.
    pub lead: Lead<'a>,
    /// Where it starts in the text before the key; the end of that text if the key itself is the first token.
    pub start: usize,
    /// The line has text of another language before it, so its end may be that language's too.
    pub amid: bool,
}

/// What the name of the file suggests; it never decides whether a key is found, only how it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileHint {
    /// `authorized_keys` or `authorized_keys2`.
    Grants,
    /// The name has `known_hosts` in it.
    Hosts,
    /// The name has `allowed_signers` in it.
    Signers,
    /// None.
    Other,
}

impl FileHint {
    /// The hint of a path's last component.
    pub fn of(file_name: &[u8]) -> Self {
        if matches!(file_name, b"authorized_keys" | b"authorized_keys2") {
            Self::Grants
        } else if memchr::memmem::find(file_name, b"known_hosts").is_some() {
            Self::Hosts
        } else if memchr::memmem::find(file_name, b"allowed_signers").is_some() {
            Self::Signers
        } else {
            Self::Other
        }
    }
}

/// Says what `before`, the line up to the algorithm's name, is.
pub fn classify(before: &[u8], hint: FileHint) -> Placed<'_> {
    let first = skip_blanks(before, 0);
    let whole = |lead, start| Placed {
        lead,
        start,
        amid: false,
    };
    match before.get(first) {
        None => return whole(Lead::Nothing, before.len()),
        Some(b'#') => return whole(Lead::Comment, before.len()),
        Some(_) => {}
    }
    if before.last().is_some_and(|b| is_blank(*b)) {
        let signers = before
            .get(first..)
            .and_then(|text| ssh_signers::read(text, hint == FileHint::Signers));
        if let Some(signers) =
            signers.filter(|_| !matches!(hint, FileHint::Grants | FileHint::Hosts))
        {
            return whole(Lead::Signers(Box::new(signers)), first);
        }
        let item = skip_list_marks(before, first);
        let quoted = match before.get(item) {
            Some(b'\'' | b'"') => item + 1,
            _ => item,
        };
        let shell = memchr::memchr(b'\'', before).map_or(item, |quote| quote + 1);
        let last_quote = memchr::memrchr2(b'\'', b'"', before).map_or(item, |quote| quote + 1);
        let found = distinct([first, item, quoted, shell])
            .find_map(|start| Some((options(before.get(start..)?, hint)?, start)))
            .or_else(|| {
                distinct([first, item, last_quote]).find_map(|start| {
                    let lead = hosts(before.get(start..)?, hint)?;
                    (start == first || is_address(&lead)).then_some((lead, start))
                })
            });
        if let Some((lead, start)) = found {
            return Placed {
                lead,
                start,
                amid: start != first,
            };
        }
    }
    Placed {
        lead: Lead::Other,
        start: before.len(),
        amid: true,
    }
}

/// The places in their order, each once.
fn distinct<const N: usize>(places: [usize; N]) -> impl Iterator<Item = usize> {
    places
        .into_iter()
        .enumerate()
        .filter(move |(index, place)| !places.iter().take(*index).any(|earlier| earlier == place))
        .map(|(_, place)| place)
}

/// The marker without its `@` (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
fn marker(token: &[u8]) -> Option<&'static str> {
    match token {
        b"@cert-authority" => Some("cert-authority"),
        b"@revoked" => Some("revoked"),
        _ => None,
    }
}

fn options<'a>(text: &'a [u8], hint: FileHint) -> Option<Lead<'a>> {
    // Most text is none: look at its first name before anything is kept.
    if !text.first()?.is_ascii_alphanumeric() {
        return None;
    }
    let written = text.get(..ssh_options::end_of_list(text)?)?;
    if skip_blanks(text, written.len()) != text.len() {
        return None;
    }
    let options = ssh_options::read(written)?;
    (options.known > 0 || hint == FileHint::Grants).then_some(Lead::Options { written, options })
}

fn hosts<'a>(text: &'a [u8], hint: FileHint) -> Option<Lead<'a>> {
    let (mut token, mut rest) = token(text)?;
    let marker = marker(token);
    if marker.is_some() {
        (token, rest) = self::token(rest)?;
    }
    if skip_blanks(rest, 0) != rest.len() {
        return None;
    }
    let patterns = token;
    let certain = marker.is_some() || hint == FileHint::Hosts;
    let all_good = patterns.split(|b| *b == b',').all(is_pattern);
    (all_good && (certain || is_telling(patterns))).then_some(Lead::Hosts { marker, patterns })
}

/// Whether the hosts have signs that no plain word has; amid other text, a word alone says nothing.
fn is_address(lead: &Lead<'_>) -> bool {
    matches!(lead, Lead::Hosts { patterns, .. } if patterns.iter().any(|b| b".:,[|".contains(b)))
}

/// The token at the start, and what follows it and its blanks.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr2(b' ', b'\t', text)?;
    let (token, rest) = text.split_at_checked(end)?;
    Some((token, rest.get(skip_blanks(rest, 0)..)?))
}

/// Whether a token that stands where hosts may stand is not rather a word or a number of other text.
fn is_telling(patterns: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"echo",
        b"printf",
        b"key",
        b"pubkey",
        b"public",
        b"publickey",
        b"add",
        b"*",
    ];
    let number = patterns.strip_suffix(b".").unwrap_or(patterns);
    !WORDS.contains(&patterns) && !number.iter().all(u8::is_ascii_digit)
}

/// Whether this is one host pattern: a name or address with wildcards, `[host]:port`, or a hashed name.
fn is_pattern(pattern: &[u8]) -> bool {
    if let Some(hashed) = pattern.strip_prefix(b"|1|") {
        let mut parts = hashed.split(|b| *b == b'|');
        // Salt and HMAC-SHA-1, 20 bytes each.
        let digest = |part: Option<&[u8]>| {
            part.is_some_and(|p| p.len() == 28 && super::ssh::decode_base64(p).is_some())
        };
        return digest(parts.next()) && digest(parts.next()) && parts.next().is_none();
    }
    let pattern = pattern.strip_prefix(b"!").unwrap_or(pattern);
    let host = match pattern.strip_prefix(b"[") {
        Some(bracketed) => {
            let Some(end) = bracketed.iter().position(|b| *b == b']') else {
                return false;
            };
            let (host, port) = bracketed.split_at(end);
            let port_good = match port {
                [b']'] => true,
                [b']', b':', digits @ ..] => {
                    !digits.is_empty() && digits.iter().all(|b| b.is_ascii_digit() || *b == b'*')
                }
                _ => false,
            };
            if !port_good {
                return false;
            }
            host
        }
        None => pattern,
    };
    let bytes_good = host.iter().all(|b| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*' | b'?' | b':' | b'%')
    });
    let has_name = host
        .iter()
        .any(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?'));
    // `key: ssh-rsa …` is a mapping; an IPv6 address ends so only after another colon.
    let mapping = host.ends_with(b":") && !host.ends_with(b"::");
    bytes_good && has_name && !mapping
}

/// How many list items are believed to begin on one line.
const LIST_MARKS_MAX: usize = 16;

/// Steps over the `- ` of list items.
fn skip_list_marks(text: &[u8], mut at: usize) -> usize {
    for _ in 0..LIST_MARKS_MAX {
        let Some([b'-', b' ' | b'\t', ..]) = text.get(at..) else {
            break;
        };
        at = skip_blanks(text, at + 1);
    }
    at
}

fn skip_blanks(text: &[u8], from: usize) -> usize {
    // Whole pieces first: each key on a line asks, and a line may begin with thousands of blanks.
    const PIECE: [u8; 64] = [b' '; 64];
    let rest = text.get(from..).unwrap_or_default();
    let pieces = rest.chunks_exact(PIECE.len());
    let skipped = PIECE.len() * pieces.take_while(|piece| *piece == PIECE).count();
    rest.iter()
        .skip(skipped)
        .position(|b| !is_blank(*b))
        .map_or(text.len(), |count| from + skipped + count)
}

/// Whether a byte separates the fields of a line.
pub const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, hint: FileHint) -> String {
        let placed = classify(before.as_bytes(), hint);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let lead = match placed.lead {
            Lead::Nothing => "nothing".to_owned(),
            Lead::Comment => "comment".to_owned(),
            Lead::Options { written, .. } => format!("options {}", text(written)),
            Lead::Hosts { marker, patterns } => {
                format!("hosts {} {}", marker.unwrap_or("-"), text(patterns))
            }
            Lead::Signers(signers) => format!("signers {}", signers.principals.join(",")),
            Lead::Other => "other".to_owned(),
        };
        let amid = if placed.amid { " amid" } else { "" };
        format!("{lead} @{}{amid}", placed.start)
    }

    #[test]
    fn leads_are_told_apart() {
        let hashed = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ";
        for (before, expected) in [
            ("", "nothing @0"),
            ("  \t", "nothing @3"),
            ("# ", "comment @2"),
            ("  #x ", "comment @5"),
            ("restrict ", "options restrict @0"),
            (
                " command=\"a # b\",No-Pty\t",
                "options command=\"a # b\",No-Pty @1",
            ),
            ("- from=\"10.0.0.1\" ", "options from=\"10.0.0.1\" @2 amid"),
            ("- 'from=\"::1\" ", "options from=\"::1\" @3 amid"),
            ("echo 'cert-authority ", "options cert-authority @6 amid"),
            (
                "github.com,140.82.121.4 ",
                "hosts - github.com,140.82.121.4 @0",
            ),
            (
                "[db]:2222,[fe80::1%eth0]:22 ",
                "hosts - [db]:2222,[fe80::1%eth0]:22 @0",
            ),
            (
                "*.example.com,!bad.example.com ",
                "hosts - *.example.com,!bad.example.com @0",
            ),
            (" @cert-authority * ", "hosts cert-authority * @1"),
            ("@revoked a,b\t", "hosts revoked a,b @0"),
            ("echo \"github.com ", "hosts - github.com @6 amid"),
            ("{\"k\": \"github.com ", "hosts - github.com @7 amid"),
            ("from ", "hosts - from @0"),
            (hashed, &format!("hosts - {} @0", hashed.trim())),
            ("|1|short|short ", "other @15 amid"),
            ("key: ", "other @5 amid"),
            ("- ", "other @2 amid"),
            ("* ", "other @2 amid"),
            ("1. ", "other @3 amid"),
            ("echo ", "other @5 amid"),
            ("echo \"", "other @6 amid"),
            (
                "me@example.com namespaces=\"git\" ",
                "signers me@example.com @0",
            ),
            (" me@example.com\t", "signers me@example.com @1"),
            ("ssh me@example.com ", "other @19 amid"),
            ("user bob sshkey ", "other @16 amid"),
            ("command=\"x ", "other @11 amid"),
            ("[a:1 ", "other @5 amid"),
            ("@unknown a ", "other @11 amid"),
        ] {
            assert_eq!(told(before, FileHint::Other), expected, "{before:?}");
        }
    }

    #[test]
    fn a_name_helps_only_to_tell() {
        assert_eq!(FileHint::of(b"authorized_keys2"), FileHint::Grants);
        assert_eq!(FileHint::of(b"ssh_known_hosts"), FileHint::Hosts);
        assert_eq!(FileHint::of(b"notes"), FileHint::Other);
        assert_eq!(told("* ", FileHint::Hosts), "hosts - * @0");
        assert_eq!(
            told("future=\"1\" ", FileHint::Grants),
            "options future=\"1\" @0"
        );
        assert_eq!(told("web01 ", FileHint::Grants), "options web01 @0");
        let signers = FileHint::of(b"git.allowed_signers");
        assert_eq!(told("web01 ", signers), "signers web01 @0");
        assert_eq!(told("restrict ", FileHint::Other), "options restrict @0");
    }
}
