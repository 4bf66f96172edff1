//! What `certbot certificates` prints: a paragraph for each certificate, lines of `Name: value`.

use super::InventoryError;
use super::listed::Listed;
use super::table::Table;

const FIRST: &str = "Certificate Name";

/// Whether text is certbot's list.
pub(super) fn looks_like(text: &str) -> bool {
    let mut lines = text.lines().take(60).map(str::trim);
    lines.any(|l| {
        l.strip_prefix(FIRST)
            .is_some_and(|rest| rest.starts_with(": "))
    }) && text.contains("\n    Certificate Path: ")
}

/// Reads the list. `Domains` are divided by blanks, and an end of validity is followed by `(VALID: 89 days)`.
pub(super) fn read(name: &str, text: &str) -> Result<Table, InventoryError> {
    let mut table = Listed::default();
    let mut cells: Vec<(String, String)> = Vec::new();
    let mut start = 0u64;
    for (line, at) in text.lines().zip(1u64..) {
        let Some((key, value)) = line.trim().split_once(": ") else {
            continue;
        };
        if key == FIRST {
            table.push(name, start, std::mem::take(&mut cells))?;
            start = at;
        } else if cells.is_empty() {
            continue;
        }
        match (key, value.split_once('(')) {
            ("Expiry Date", Some((date, remark))) => {
                cells.push((key.to_owned(), date.trim().to_owned()));
                // `VALID: 89 days`, `INVALID: EXPIRED, TEST_CERT`
                let words: Vec<&str> = remark.split([':', ')', ',']).map(str::trim).collect();
                let word = match words.as_slice() {
                    ["INVALID", reason, ..] => reason,
                    [word, ..] => word,
                    [] => "",
                };
                cells.push(("Validity".to_owned(), word.to_owned()));
            }
            _ => cells.push((key.to_owned(), value.trim().to_owned())),
        }
    }
    table.push(name, start, cells)?;
    Ok(table.finish())
}
