//! Names the field of a document that holds a place: `data.tls.key`, `users[0].user.client-key-data`.
//!
//! Only enough for that. A document need not be valid, nor whole: what is found does not depend on it, and where nothing can be
//! said nothing is. JSON is followed from its start while it fits a window; of YAML, TOML, HCL, properties, shell and XML the
//! lines before the place are looked at.

mod assignment;
mod json;
mod xml;
mod yaml;

/// As much text before a place is looked at, where not all is known.
const LOOK_BACK: usize = 64 << 10;
/// As many places of one document get a name.
const NAMES_MAX: usize = 4096;
/// A longer name is none.
const LENGTH_MAX: usize = 512;

/// Names the fields of one document, in the order of their places.
#[derive(Default)]
pub struct Fields {
    json: Option<json::Follower>,
    named: usize,
}

impl Fields {
    /// The field that holds the place `at` of `bytes`, which begin `start` bytes behind the document's start.
    pub fn name(&mut self, bytes: &[u8], start: u64, at: usize) -> Option<String> {
        if self.named >= NAMES_MAX {
            return None;
        }
        let before = bytes.get(..at)?;
        let name = self
            .in_json(before, start)
            .or_else(|| in_text(before.get(before.len().saturating_sub(LOOK_BACK)..)?));
        let name = name.filter(|name| !name.is_empty() && name.len() <= LENGTH_MAX)?;
        self.named += 1;
        Some(name)
    }

    fn in_json(&mut self, before: &[u8], start: u64) -> Option<String> {
        if self.json.is_none() {
            let opens = start == 0 && matches!(before.trim_ascii_start(), [b'{' | b'[', ..]);
            if !opens {
                return None;
            }
            self.json = Some(json::Follower::default());
        }
        let follower = self.json.as_mut()?;
        follower.go_on(before, start)?;
        follower.path()
    }
}

fn in_text(before: &[u8]) -> Option<String> {
    let line = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let head = before.get(line..)?;
    if let Some(found) = assignment::read(head) {
        return Some(match found.separator {
            assignment::Separator::Colon => yaml::path(before, line, Some(found.key)),
            assignment::Separator::Equals => assignment::in_section(before.get(..line)?, found.key),
        });
    }
    if let Some(element) = xml::element(before) {
        return Some(element);
    }
    // The value stands on lines of its own, below the one that names it.
    let (opener, place) = assignment::opener(before, line)?;
    Some(match opener.separator {
        assignment::Separator::Colon => yaml::path(before, place, Some(opener.key)),
        assignment::Separator::Equals => assignment::in_section(before.get(..place)?, opener.key),
    })
}

/// Text of a document as far as it may be told: what is not UTF-8 is replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Fields;

    fn name(document: &str) -> Option<String> {
        let at = document.find('@').unwrap();
        Fields::default().name(document.as_bytes(), 0, at)
    }

    #[test]
    fn fields_of_json() {
        let cases = [
            ("{\"private_key\": \"@", "private_key"),
            (
                "{\"a\":1,\"data\":{\"x\":[\"}\\\"\"],\"tls.key\":\"@",
                "data.tls.key",
            ),
            (
                "[{\"a\":null},{\"keys\":[{\"x5c\":[\"q\",\"@",
                "[1].keys[0].x5c[1]",
            ),
            ("{\"a\":{\"b\":\"c\"},\"d\":\"@", "d"),
            ("{ \"a\" : { \"b\" : \"text @", "a.b"),
        ];
        for (document, expected) in cases {
            assert_eq!(name(document).as_deref(), Some(expected), "{document}");
        }
        assert_eq!(name("{\"@"), None, "a name is no value");
    }

    #[test]
    fn fields_of_yaml() {
        let cases = [
            ("data:\n  a: b\n  tls.key: @", "data.tls.key"),
            ("data:\n  tls.key: |\n    @", "data.tls.key"),
            ("data:\n  tls.key: \"@", "data.tls.key"),
            (
                "users:\n- name: a\n  user:\n    x: y\n- name: b\n  user:\n    client-key-data: @",
                "users[1].user.client-key-data",
            ),
            ("a:\n  - b: 1\n    c: |-\n      text\n\n      @", "a[0].c"),
            (
                "ssh_authorized_keys:\n  - one\n  # two\n  - @",
                "ssh_authorized_keys[1]",
            ),
            ("---\nold: 1\n---\nnew: @", "new"),
            (
                "write_files:\n  - path: /x\n    encoding: b64\n    content: @",
                "write_files[0].content",
            ),
            ("- a:\n    b: @", "[0].a.b"),
        ];
        for (document, expected) in cases {
            assert_eq!(name(document).as_deref(), Some(expected), "{document}");
        }
    }

    #[test]
    fn fields_of_other_text() {
        let cases = [
            ("export TLS_KEY=\"@", "TLS_KEY"),
            (
                "[tls]\ncert = 1\n[tls.server]\nkey = \"\"\"\n@",
                "tls.server.key",
            ),
            ("server.ssl.key=@", "server.ssl.key"),
            ("private_key_pem = <<EOF\n@", "private_key_pem"),
            ("<a><ds:X509Certificate>\n   @", "X509Certificate"),
            ("<privateKey id='1'>@", "privateKey"),
            ("<![CDATA[@", ""),
        ];
        for (document, expected) in cases {
            let expected = Some(expected).filter(|e| !e.is_empty());
            assert_eq!(name(document).as_deref(), expected, "{document}");
        }
        for none in [
            "@",
            "text\n@",
            "a b c @",
            "# see:\n@",
            "http://x/@",
            "from=\"a\" @",
            "x -> @",
        ] {
            assert_eq!(name(none), None, "{none}");
        }
    }

    #[test]
    fn json_is_followed_over_windows() {
        let document = "{\"a\":{\"b\":\"one\",\"c\":\"two\"}}";
        let mut fields = Fields::default();
        let at = document.find("one").unwrap();
        assert_eq!(
            fields.name(document.as_bytes(), 0, at).as_deref(),
            Some("a.b")
        );
        let at = document.find("two").unwrap();
        assert_eq!(
            fields.name(&document.as_bytes()[5..], 5, at - 5).as_deref(),
            Some("a.c")
        );
    }
}
