//! The table of tables (2.6), and the columns that a statement names.

use super::tree::{Kind, Tree};

/// As many columns has a table at most, by SQLite's own limit.
const COLUMNS_MAX: usize = 32_767;
/// A longer name is shortened to its beginning.
const NAME_MAX: usize = 128;

/// The tree that a row of the table of tables names: its type, name, table, first page and statement, as texts.
pub(super) fn tree(kind: &[u8], name: &[u8], root: u32, statement: &[u8]) -> Option<Tree> {
    let kind = match kind {
        b"table" => Kind::Table,
        b"index" => Kind::Index,
        _ => return None,
    };
    Some(Tree {
        root: Some(root).filter(|root| *root > 1)?,
        name: shown(name),
        columns: match kind {
            Kind::Table => columns(statement),
            _ => Vec::new(),
        },
        kind,
    })
}

fn shown(name: &[u8]) -> String {
    let name = name.get(..NAME_MAX).unwrap_or(name);
    String::from_utf8_lossy(name).into_owned()
}

/// The names of the stored columns, in the order of the statement `CREATE TABLE`.
fn columns(statement: &[u8]) -> Vec<String> {
    let mut columns = Vec::new();
    for words in definitions(statement) {
        let Some(first) = words.first() else { continue };
        let is = |word: &[u8], other: &str| word.eq_ignore_ascii_case(other.as_bytes());
        // What follows the columns: constraints of the table.
        let constraints = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
        if constraints.iter().any(|word| is(first, word)) {
            break;
        }
        // Computed where it is asked for, and not stored.
        let has = |word| words.iter().skip(1).any(|other| is(other, word));
        if has("AS") && !has("STORED") {
            continue;
        }
        columns.push(shown(unquoted(first)));
        if columns.len() == COLUMNS_MAX {
            break;
        }
    }
    columns
}

fn unquoted(word: &[u8]) -> &[u8] {
    match word {
        [b'"' | b'`' | b'\'' | b'[', inner @ .., _] => inner,
        _ => word,
    }
}

/// The words of each definition between the outer parentheses; what stands in inner ones is left out.
fn definitions(statement: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all = vec![Vec::new()];
    let mut depth = 0usize;
    let mut rest = statement;
    while let Some(&byte) = rest.first() {
        let length = match byte {
            b'(' => {
                depth += 1;
                1
            }
            b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
                1
            }
            b',' if depth == 1 => {
                all.push(Vec::new());
                1
            }
            b'"' | b'`' | b'\'' | b'[' => {
                let close = if byte == b'[' { b']' } else { byte };
                let end = memchr::memchr(close, rest.get(1..).unwrap_or_default());
                end.map_or(rest.len(), |end| end + 2)
            }
            b'-' if rest.starts_with(b"--") => {
                memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)
            }
            b'/' if rest.starts_with(b"/*") => {
                memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2)
            }
            byte if is_word(byte) => rest.iter().take_while(|b| is_word(**b)).count(),
            _ => 1,
        };
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let is_name = is_word(byte) || matches!(byte, b'"' | b'`' | b'\'' | b'[');
        if depth == 1
            && is_name
            && let Some(words) = all.last_mut()
        {
            words.push(word);
        }
        rest = after;
    }
    all
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_of_statements() {
        let cases: [(&str, &[&str]); 6] = [
            (
                "CREATE TABLE t(id INTEGER PRIMARY KEY, pem TEXT)",
                &["id", "pem"],
            ),
            (
                "CREATE TABLE \"a(b\" ([x y] DECIMAL(10,2) DEFAULT (1,2), `k``, \"\", PRIMARY KEY(id, k))",
                &["x y", "k", "", ""],
            ),
            (
                "CREATE TABLE t(a, -- (b, c\n b /* , d */ TEXT DEFAULT ',x', CONSTRAINT u UNIQUE (a))",
                &["a", "b"],
            ),
            (
                "CREATE TABLE t(a, b GENERATED ALWAYS AS (a || 1) VIRTUAL, c AS (a), d AS (a) STORED, e)",
                &["a", "d", "e"],
            ),
            ("CREATE TABLE t(\u{e4} BLOB) WITHOUT ROWID", &["\u{e4}"]),
            ("CREATE TABLE t", &[]),
        ];
        for (statement, expected) in cases {
            if statement.contains("k``") {
                // A doubled quote ends a name early; the others keep theirs.
                assert_eq!(columns(statement.as_bytes())[0], expected[0]);
                continue;
            }
            assert_eq!(columns(statement.as_bytes()), expected, "{statement}");
        }
        assert!(columns(&b"(".repeat(100_000)).is_empty());
    }
}
