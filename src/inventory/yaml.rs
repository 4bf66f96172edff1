//! Reads YAML as the JSON values that it stands for, within bounds: an alias may not make more of a document than was
//! written, nor nest it deeper than anything reads.

use super::InventoryError;
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;

/// Largest document that is read, in bytes.
const MAX_DOCUMENT: usize = 64 << 20;
/// How many lines are looked at to tell YAML from delimited text.
const LOOK_AHEAD: usize = 20;

/// Whether text is YAML by its first lines: a document's start, or nothing but keys and items.
pub(super) fn looks_like(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'))
        .peekable();
    match lines.peek() {
        Some(&"---") => return true,
        Some(first) if first.starts_with("--- ") || first.starts_with("%YAML ") => return true,
        Some(first) if is_block_line(first) && !first.starts_with(' ') => {}
        _ => return false,
    }
    let mut seen = 0;
    let mut nested = false;
    // What is deeper than the key before it may be the lines of a long text.
    let fitting = lines.take(LOOK_AHEAD).all(|line| {
        seen += 1;
        let opens = |value: &str| value.starts_with(['&', '*', '[', '{', '|', '>']);
        nested |= line.starts_with([' ', '-'])
            || line.split_once(": ").is_some_and(|(_, value)| opens(value));
        is_block_line(line) || line.starts_with("  ")
    });
    fitting && seen >= 2 && nested
}

/// `key:`, `key: value`, `- item`, `- key: value`.
fn is_block_line(line: &str) -> bool {
    let trimmed = line.trim_start();
    let item = trimmed.strip_prefix("- ").map(str::trim_start);
    if trimmed == "-" {
        return true;
    }
    let body = item.unwrap_or(trimmed);
    let key = body
        .split_once(": ")
        .map(|(key, _)| key)
        .or_else(|| body.strip_suffix(':'));
    key.map_or(item.is_some(), |key| {
        !key.is_empty() && !key.contains([',', ';', '\t', '|']) && key.len() <= 200
    })
}

/// Reads all documents of a text; several are one list.
pub(super) fn read(name: &str, text: &str) -> Result<Value, InventoryError> {
    if text.len() > MAX_DOCUMENT {
        return Err(InventoryError::TooLarge {
            name: name.to_owned(),
            limit: MAX_DOCUMENT as u64,
        });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 8_000_000,
            max_nodes: 4_000_000,
            max_depth: 64,
            max_documents: 100_000,
            max_aliases: 100_000,
            max_anchors: 100_000,
            max_total_scalar_bytes: MAX_DOCUMENT,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 1_000_000,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        // Numbers with leading zeros are serials.
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    let mut documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| InventoryError::Unreadable {
            name: name.to_owned(),
            form: "YAML",
            reason: reason(&error),
        })?;
    documents.retain(|d| !d.is_null());
    Ok(if documents.len() == 1 {
        documents.remove(0)
    } else {
        // A stream of lists (`kubectl get -o yaml` run several times) is one list of their items.
        Value::Array(documents)
    })
}

/// Where, and of what sort: the library's own words could repeat what stands there.
fn reason(error: &serde_saphyr::Error) -> String {
    let place = error.location().map_or_else(String::new, |at| {
        format!(" at line {}, column {}", at.line(), at.column())
    });
    let text = error.to_string().to_lowercase();
    let bounded = ["budget", "limit", "exceed", "too many"]
        .iter()
        .any(|word| text.contains(word));
    if bounded {
        format!("it is larger, deeper or has more aliases than is read{place}")
    } else {
        format!("it has a fault{place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_told_from_delimited_text() {
        for text in [
            "---\na: 1\n",
            "%YAML 1.2\n---\n",
            "- id: 1\n  owner: a\n- id: 2\n",
            "# keys\nkeys:\n  - id: 1\n    owner: a\n",
            "apiVersion: v1\nitems:\n- kind: Secret\n",
        ] {
            assert!(looks_like(text), "{text}");
        }
        for text in [
            "id,owner\n1,a\n",
            "Owner: Security,,\nid,owner,x\n",
            "id\towner\n",
            "fingerprint\nab:cd\n",
            "Exported: today\nid;owner\n1;a\n",
            "-----BEGIN CERTIFICATE-----\nMII\n",
            "owner: a\nid: 1\n",
        ] {
            assert!(!looks_like(text), "{text}");
        }
    }

    #[test]
    fn aliases_are_followed_and_bombs_are_not() {
        let value = read("t", "base: &b {owner: a}\nkeys:\n- <<: *b\n  id: 007\n").unwrap();
        assert_eq!(value["keys"][0]["owner"], "a");
        assert_eq!(value["keys"][0]["id"], "007");
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let before = n - 1;
            bomb += &format!(
                "a{n}: &a{n} [{}]\n",
                vec![format!("*a{before}"); 10].join(",")
            );
        }
        let error = read("t", &bomb).unwrap_err().to_string();
        assert!(error.contains("more aliases"), "{error}");
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(read("t", &deep).is_err());
        let error = read("t", "a: [1\nb: secretword").unwrap_err().to_string();
        assert!(
            error.contains("line") && !error.contains("secretword"),
            "{error}"
        );
    }
}
