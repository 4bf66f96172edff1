//! Takes a PEM armour out of the clothes that people put it in.
//!
//! RFC 7468 wants 64-column lines between two lines of dashes. In the wild the same text is indented,
//! quoted, commented out, escaped into one line, split into string pieces or stripped of its line breaks.
//! [`undress`] walks the text once from behind the header and keeps the base64 digits and the RFC 1421
//! headers; where it meets what cannot belong to a body it stops.

mod escapes;

use escapes::{Meaning, backslash, entity, equals};
use zeroize::Zeroizing;

/// The start of an encapsulation boundary.
pub const BEGIN: &[u8] = b"-----BEGIN ";
/// The start of the closing boundary.
pub const END: &[u8] = b"-----END ";
/// The longest label that is believed.
pub const LABEL_MAX: usize = 64;
/// Fewer base64 digits than this before an early stop are an example or a mention, not a body.
const BODY_MIN: usize = 24;
/// How many bytes may stand between two pieces of a quoted string.
const BETWEEN_MAX: usize = 256;
/// The longest name, and value, of an RFC 1421 header.
const HEADER_NAME_MAX: usize = 40;
const HEADER_VALUE_MAX: usize = 1024;
/// How far [`undress`] looks beyond a place before it decides what stands there: no header is longer, and nothing
/// else that it knows is.
pub const LOOK_AHEAD: usize = 2 * HEADER_NAME_MAX + HEADER_VALUE_MAX;

/// What was found between two boundaries.
#[derive(Debug)]
pub struct Armour {
    /// The base64 digits without padding.
    pub digits: Zeroizing<Vec<u8>>,
    /// How many padding signs followed them.
    pub padding: usize,
    /// RFC 1421 headers, in order.
    pub headers: Vec<(String, String)>,
    /// The four digits of OpenPGP's checksum, which stand behind `=` (RFC 9580, section 6.1).
    pub checksum: Option<[u8; 4]>,
    /// How the walk ended.
    pub stop: Stop,
    /// Where it ended, in the text.
    pub end: usize,
}

/// How the walk over a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// At its closing boundary; `end` is behind it.
    Closed,
    /// At the end of the text, or at another opening boundary.
    Open,
    /// At a byte that belongs to no body.
    Foreign,
}

impl Armour {
    /// Whether there are too few digits to call it a body. A short one counts if it is closed and padded as
    /// base64 must be.
    pub fn is_mention(&self) -> bool {
        let whole = self
            .digits
            .len()
            .saturating_add(self.padding)
            .is_multiple_of(4);
        match self.stop {
            Stop::Closed if whole => self.digits.is_empty(),
            _ => self.digits.len() < BODY_MIN,
        }
    }
}

/// Reads the label of an opening boundary: `text` starts with the first dash.
///
/// Gives the label and the length of the boundary, or `None` if it is none (or reaches past the text).
pub fn label(text: &[u8]) -> Option<(&str, usize)> {
    let rest = text.strip_prefix(BEGIN)?;
    // A dash belongs to a label unless the closing row begins with it (RFC 7468, section 3).
    let is_label = |at: usize, byte: u8| match byte {
        b'-' => !rest.get(at..).is_some_and(|tail| tail.starts_with(b"--")),
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => true,
        _ => matches!(byte, b' ' | b'.' | b'#' | b'/' | b'_' | b'+'),
    };
    let length = rest
        .iter()
        .take(LABEL_MAX + 1)
        .enumerate()
        .position(|(at, byte)| !is_label(at, *byte))?;
    let label = rest.get(..length)?;
    if length == 0 || length > LABEL_MAX || !rest.get(length..)?.starts_with(b"-----") {
        return None;
    }
    let label = std::str::from_utf8(label).ok()?;
    Some((label.trim_end(), BEGIN.len() + length + 5))
}

/// Walks over a body. `text` starts behind the opening boundary; `before` is what stands on the same
/// physical line before it, from which the clothes are learnt.
pub fn undress(text: &[u8], before: &[u8]) -> Armour {
    walk(text, before, false)
}

/// The same for an OpenPGP armour (RFC 9580, section 6.2), whose body a checksum may follow, and whose headers
/// hold any text.
pub fn undress_openpgp(text: &[u8], before: &[u8]) -> Armour {
    walk(text, before, true)
}

fn walk(text: &[u8], before: &[u8], openpgp: bool) -> Armour {
    Walk {
        openpgp,
        checksum: None,
        text,
        at: 0,
        quote: open_quote(before),
        inside_quote: true,
        prefix: line_prefix(before),
        line_start: false,
        blank_line: true,
        digits: Zeroizing::new(Vec::with_capacity(2048.min(text.len()))),
        headers: Vec::new(),
        padding: 0,
    }
    .run()
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    /// The quote that the boundary stands in.
    quote: Option<u8>,
    inside_quote: bool,
    /// Comment signs and the like that every line wears.
    prefix: &'a [u8],
    line_start: bool,
    /// Nothing but blanks so far on this line.
    blank_line: bool,
    digits: Zeroizing<Vec<u8>>,
    headers: Vec<(String, String)>,
    padding: usize,
    openpgp: bool,
    checksum: Option<[u8; 4]>,
}

impl Walk<'_> {
    fn run(mut self) -> Armour {
        let stop = loop {
            let Some(rest) = self.text.get(self.at..) else {
                break Stop::Open;
            };
            let Some(&byte) = rest.first() else {
                break Stop::Open;
            };
            if self.line_start && self.skip_prefix(rest) {
                continue;
            }
            if let Some(quote) = self.quote
                && let Some(length) = quote_length(rest, quote)
            {
                self.at += length;
                self.inside_quote = !self.inside_quote;
                if !self.inside_quote && !self.skip_to_next_piece(quote) {
                    break Stop::Foreign;
                }
                continue;
            }
            if byte == b'-' {
                if rest.starts_with(END) {
                    self.at += closing_length(rest);
                    break Stop::Closed;
                }
                if rest.starts_with(BEGIN) {
                    break Stop::Open;
                }
                break Stop::Foreign;
            }
            if self.blank_line && self.digits.is_empty() && self.take_header(rest) {
                continue;
            }
            if self.openpgp
                && self.checksum.is_none()
                && let Some(digits) = checksum(rest)
            {
                self.checksum = Some(digits);
                self.at += 1 + digits.len();
                self.blank_line = false;
                continue;
            }
            if !self.take(rest, byte) {
                break Stop::Foreign;
            }
        };
        Armour {
            digits: self.digits,
            padding: self.padding,
            headers: self.headers,
            checksum: self.checksum,
            stop,
            end: self.at.min(self.text.len()),
        }
    }

    /// Takes what a body may consist of; false if it may not.
    fn take(&mut self, rest: &[u8], byte: u8) -> bool {
        let (length, meaning) = match byte {
            b'\n' | b'\r' => (1, Meaning::NewLine),
            b' ' | b'\t' | 0x0b | 0x0c => (1, Meaning::Blank),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => (1, Meaning::Digit(byte)),
            b'=' => equals(rest, self.digits.len()),
            b'\\' => match backslash(rest) {
                Some(found) => found,
                None => return false,
            },
            b'&' | b'<' | b'%' => match entity(rest) {
                Some(found) => found,
                None => return false,
            },
            // A byte order mark in the middle, where files were put together.
            0xef if rest.starts_with(b"\xef\xbb\xbf") => (3, Meaning::Blank),
            _ => return false,
        };
        match meaning {
            Meaning::NewLine => {
                self.line_start = true;
                self.blank_line = true;
            }
            Meaning::Blank => {}
            Meaning::Digit(digit) => {
                // Digits after padding: two bodies ran into one another.
                if self.padding > 0 || self.checksum.is_some() {
                    return false;
                }
                self.blank_line = false;
                self.digits.push(digit);
            }
            Meaning::Padding => {
                if self.digits.is_empty() {
                    return false;
                }
                self.blank_line = false;
                self.padding += 1;
            }
        }
        self.at += length;
        true
    }

    /// At the start of a line: skips blanks and the learnt prefix. False if there is nothing to skip.
    fn skip_prefix(&mut self, rest: &[u8]) -> bool {
        self.line_start = false;
        if self.prefix.is_empty() {
            return false;
        }
        let blanks = rest
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        let prefixed = rest
            .get(blanks..)
            .is_some_and(|line| line.starts_with(self.prefix) && !is_boundary(line));
        if prefixed {
            self.at += blanks + self.prefix.len();
        }
        prefixed
    }

    /// Between two pieces of a quoted string: only what joins pieces may stand there.
    fn skip_to_next_piece(&mut self, quote: u8) -> bool {
        let between = self.text.get(self.at..).unwrap_or_default();
        for (index, byte) in between.iter().take(BETWEEN_MAX).enumerate() {
            match byte {
                b if *b == quote => {
                    self.at += index;
                    return true;
                }
                b' ' | b'\t' | b'\r' | b'\n' | b'+' | b'.' | b',' | b'\\' | b'&' | b'_' | b'('
                | b')' | b'*' | b'/' => {}
                // Suffixes and prefixes of string literals: `"…"s`, `L"…"`, `b"…"`.
                b'L' | b'b' | b'u' | b'r' | b'@' | b'$' | b'f' | b's'
                    if between.get(index + 1) == Some(&quote) || index == 0 => {}
                _ => {
                    self.at += index;
                    return false;
                }
            }
        }
        false
    }

    /// Takes one RFC 1421 header; false if none stands here.
    fn take_header(&mut self, rest: &[u8]) -> bool {
        let blanks = rest
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        let Some(line) = rest.get(blanks..) else {
            return false;
        };
        // Names are short and have no blanks before the colon.
        let Some(colon) = line
            .iter()
            .take(HEADER_NAME_MAX)
            .position(|b| !(b.is_ascii_alphanumeric() || *b == b'-'))
            .filter(|at| *at > 0 && line.get(*at) == Some(&b':'))
        else {
            return false;
        };
        let name = line.get(..colon).unwrap_or_default();
        let known = [&b"Proc-Type"[..], b"DEK-Info"].contains(&name);
        let value_start = colon + 1;
        let value = line.get(value_start..).unwrap_or_default();
        let value_length = if known {
            header_value_length(value)
        } else {
            let free = self.openpgp && self.quote.is_none();
            // Where lines end as lines do, nothing is escaped.
            let plain = matches!(self.text.first(), Some(b'\n' | b'\r'));
            value
                .iter()
                .take(HEADER_VALUE_MAX)
                .enumerate()
                .position(|(at, b)| match b {
                    b'\n' | b'\r' => true,
                    // What is no string's end may stand in a comment.
                    b'\\' if free => !plain && matches!(value.get(at + 1), Some(b'n' | b'r')),
                    b'\\' | b'"' => !free,
                    _ => false,
                })
                .unwrap_or(0)
        };
        if value_length == 0 {
            return false;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        self.headers.push((
            text(name),
            text(value.get(..value_length).unwrap_or_default()),
        ));
        self.at += blanks + value_start + value_length;
        true
    }
}

/// The digits of a checksum, and nothing that goes on behind them.
fn checksum(rest: &[u8]) -> Option<[u8; 4]> {
    let (digits, after) = rest.strip_prefix(b"=")?.split_first_chunk::<4>()?;
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let ends = after.first().is_none_or(|b| !is_digit(b) && *b != b'=');
    (digits.iter().all(is_digit) && ends).then_some(*digits)
}

/// The value of a known header ends with its last comma-joined word, so that it is found in one-line text too.
fn header_value_length(value: &[u8]) -> usize {
    let blanks = value.iter().take_while(|b| **b == b' ').count();
    let word = value
        .iter()
        .skip(blanks)
        .take(256)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b',' | b'-' | b'_'))
        .count();
    if word == 0 { 0 } else { blanks + word }
}

fn is_boundary(line: &[u8]) -> bool {
    line.starts_with(BEGIN) || line.starts_with(END)
}

/// The length of a closing boundary, as far as it is well formed.
fn closing_length(rest: &[u8]) -> usize {
    let label = rest
        .iter()
        .skip(END.len())
        .take(LABEL_MAX)
        .take_while(|b| !matches!(b, b'-' | b'\n' | b'\r' | b'"' | b'\\'))
        .count();
    let dashes = rest
        .iter()
        .skip(END.len() + label)
        .take(5)
        .take_while(|b| **b == b'-')
        .count();
    END.len() + label + dashes
}

/// The quote that is open where the boundary starts.
fn open_quote(before: &[u8]) -> Option<u8> {
    match before.last() {
        Some(quote @ (b'"' | b'\'' | b'`')) => return Some(*quote),
        _ if before.is_empty() => return None,
        _ => {}
    }
    let odd = |quote: u8| before.iter().filter(|b| **b == quote).count() % 2 == 1;
    [b'"', b'`'].into_iter().find(|quote| odd(*quote))
}

/// The length of a quote sign at the start of `rest`, with the backslashes of nested quoting before it.
fn quote_length(rest: &[u8], quote: u8) -> Option<usize> {
    let slashes = rest.iter().take(8).take_while(|b| **b == b'\\').count();
    (rest.get(slashes) == Some(&quote)).then_some(slashes + 1)
}

/// The signs that every line of a commented-out or quoted armour begins with.
fn line_prefix(before: &[u8]) -> &[u8] {
    let trimmed = before.trim_ascii();
    let sign = |b: &u8| {
        matches!(
            b,
            b'#' | b'/'
                | b'*'
                | b'>'
                | b'|'
                | b';'
                | b'%'
                | b'!'
                | b'-'
                | b'+'
                | b':'
                | b' '
                | b'\''
        )
    };
    if trimmed.len() <= 16 && trimmed.iter().all(sign) {
        trimmed
    } else {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA";

    fn digits(text: &str, before: &str) -> (String, Stop) {
        let armour = undress(text.as_bytes(), before.as_bytes());
        (
            String::from_utf8(armour.digits.to_vec()).unwrap(),
            armour.stop,
        )
    }

    #[test]
    fn labels_end_with_five_dashes() {
        assert_eq!(
            label(b"-----BEGIN RSA PRIVATE KEY-----\n"),
            Some(("RSA PRIVATE KEY", 31))
        );
        assert_eq!(
            label(b"-----BEGIN PKCS #7 SIGNED DATA-----").unwrap().0,
            "PKCS #7 SIGNED DATA"
        );
        assert_eq!(
            label(b"-----BEGIN OpenVPN tls-crypt-v2 client key-----")
                .unwrap()
                .0,
            "OpenVPN tls-crypt-v2 client key"
        );
        assert_eq!(label(b"-----BEGIN %s-----"), None);
        assert_eq!(label(b"-----BEGIN CERTIFICATE----"), None);
        assert_eq!(label(b"-----BEGIN "), None);
    }

    #[test]
    fn the_same_digits_come_out_of_all_clothes() {
        let (first, second) = BODY.split_at(20);
        let cases = [
            (format!("\n{first}\n{second}\n-----END X-----"), ""),
            (format!("\r\n{first}\r\n{second}\r\n-----END X-----"), ""),
            (
                format!("\\n{first}\\n{second}\\n-----END X-----\\n\""),
                "key: \"",
            ),
            (
                format!("\\\\n{first}\\\\n{second}\\\\n-----END X-----\\\\n\\\""),
                "{\\\"key\\\": \\\"",
            ),
            (
                format!("\\n\"\n  \"{first}\\n\"\n  \"{second}\\n\"\n  \"-----END X-----\\n\";"),
                "  \"",
            ),
            (
                format!("' +\n '{first}' +\n '{second}' +\n '-----END X-----'"),
                "a = '",
            ),
            (format!("\n# {first}\n# {second}\n# -----END X-----"), "# "),
            (
                format!("\n// {first}\n// {second}\n// -----END X-----"),
                "// ",
            ),
            (format!("\n> {first}\n> {second}\n> -----END X-----"), "> "),
            (format!("\n+{first}\n+{second}\n+-----END X-----"), "+"),
            (
                format!("\n    {first}\n    {second}\n    -----END X-----"),
                "  - ",
            ),
            (format!("{first}{second}-----END X-----"), ""),
            (format!(" {first} {second} -----END X-----"), ""),
            (
                format!("&#10;{first}<br/>{second}<BR>-----END X-----"),
                "<td>",
            ),
            (format!("%0A{first}%0A{second}%0A-----END X-----"), "cert="),
            (format!("\n{first}=\n{second}\n-----END X-----"), ""),
            (
                format!(
                    "\r\n{first}\r\n{}\r\n-----END X-----",
                    second.replace('=', "=3D")
                ),
                "",
            ),
        ];
        for (text, before) in cases {
            assert_eq!(
                digits(&text, before),
                (BODY.to_owned(), Stop::Closed),
                "{text}"
            );
        }
    }

    #[test]
    fn escaped_slashes_and_codes_are_digits() {
        assert_eq!(
            digits("\\nAB\\/C\\u002bD==\\n-----END X-----", "\"").0,
            "AB/C+D"
        );
    }

    #[test]
    fn headers_are_kept_apart() {
        for text in [
            format!(
                "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00FF\n\n{BODY}\n-----END X-----"
            ),
            format!(
                "\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-256-CBC,00FF\\n\\n{BODY}\\n-----END X-----"
            ),
            format!(" Proc-Type: 4,ENCRYPTED DEK-Info: AES-256-CBC,00FF  {BODY} -----END X-----"),
        ] {
            let armour = undress(text.as_bytes(), b"");
            assert_eq!(armour.stop, Stop::Closed, "{text}");
            assert_eq!(armour.digits.as_slice(), BODY.as_bytes());
            assert_eq!(
                armour.headers,
                [
                    ("Proc-Type".to_owned(), "4,ENCRYPTED".to_owned()),
                    ("DEK-Info".to_owned(), "AES-256-CBC,00FF".to_owned()),
                ]
            );
        }
    }

    #[test]
    fn what_belongs_to_no_body_stops_the_walk() {
        assert_eq!(digits(";\n  parse(x)\n", "\"").1, Stop::Foreign);
        assert_eq!(digits(&format!("\n{BODY}\n"), "").1, Stop::Open);
        assert_eq!(
            digits(&format!("\n{BODY}\n-----BEGIN Y-----"), "").1,
            Stop::Open
        );
        assert_eq!(digits("\n...\n-----END X-----", "").1, Stop::Foreign);
        assert!(undress(b"\n...\n-----END X-----", b"").is_mention());
    }
}
