//! What `inventory check` tells of exports: the form and profile, what each column means, how much is usable, what is
//! doubtful.

use super::escape::escape;
use crate::model::{Inventory, RowFault};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The schema that this version writes.
pub const CHECK_SCHEMA: &str = "keymuster.inventory-check/1";
/// How many faults of one kind are told without `-v`.
const MOST_TOLD: usize = 5;

/// All exports that were checked.
#[derive(Debug, Serialize)]
pub struct Checks {
    /// `keymuster.inventory-check/1`.
    pub schema: &'static str,
    /// Whether every export can be judged by.
    pub usable: bool,
    /// The exports, in the order that they were given.
    pub inventories: Vec<Check>,
}

/// One export.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Where it was read from.
    pub path: String,
    /// Whether it can be judged by.
    pub usable: bool,
    /// Why it could not be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The form it has.
    pub form: String,
    /// The profile by which its columns were understood.
    pub profile: Option<String>,
    /// Its date.
    pub as_of: Option<jiff::Timestamp>,
    /// Rows, usable or not.
    pub rows: u64,
    /// Rows that can be used.
    pub usable_rows: u64,
    /// How its columns were understood.
    pub columns: Vec<Column>,
    /// What was done with it that is no fault.
    pub notes: Vec<String>,
    /// What casts doubt on it as a whole.
    pub doubts: Vec<Whole>,
    /// What is wrong in its rows and columns.
    pub faults: Vec<Fault>,
}

/// How a column was understood.
#[derive(Debug, Serialize)]
pub struct Column {
    /// Its header.
    pub header: String,
    /// The field that it stands for.
    pub field: Option<String>,
}

/// A doubt on the whole.
#[derive(Debug, Serialize)]
pub struct Whole {
    /// Whether nothing is judged by the export for it, unless `--allow-partial-inventory` is given.
    pub stops: bool,
    /// What is doubtful.
    pub reason: String,
}

/// A fault of a row or column.
#[derive(Debug, Serialize)]
pub struct Fault {
    /// File and row.
    pub source: String,
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// Whether the row cannot be used.
    pub row_lost: bool,
}

impl Check {
    /// What is told of an export that was read; `more` are the faults that only a check looks for.
    pub fn of(inventory: &Inventory, more: Vec<RowFault>) -> Self {
        let fault = |f: &RowFault| Fault {
            source: f.source.clone(),
            column: f.column.clone(),
            reason: f.reason.clone(),
            row_lost: f.row_lost,
        };
        Self {
            path: inventory.path.clone(),
            usable: !inventory.doubts.iter().any(|d| d.stops),
            error: None,
            form: inventory.form.clone(),
            profile: inventory.profile.clone(),
            as_of: inventory.as_of,
            rows: inventory.rows,
            usable_rows: inventory.rows.saturating_sub(inventory.unusable),
            columns: inventory
                .columns
                .iter()
                .map(|(header, field)| Column {
                    header: header.clone(),
                    field: field.clone(),
                })
                .collect(),
            notes: inventory.notes.clone(),
            doubts: inventory
                .doubts
                .iter()
                .map(|d| Whole {
                    stops: d.stops,
                    reason: d.reason.clone(),
                })
                .collect(),
            faults: inventory.faults.iter().chain(&more).map(fault).collect(),
        }
    }

    /// What is told of an export that could not be read.
    pub fn failed(path: String, error: String) -> Self {
        Self {
            path,
            usable: false,
            error: Some(error),
            form: String::new(),
            profile: None,
            as_of: None,
            rows: 0,
            usable_rows: 0,
            columns: Vec::new(),
            notes: Vec::new(),
            doubts: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Whether there is anything that somebody should look at.
    pub fn is_doubtful(&self) -> bool {
        !self.usable || !self.doubts.is_empty() || !self.faults.is_empty()
    }
}

/// Writes the checks as one JSON document.
pub fn write_json(checks: &Checks, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, checks)?;
    out.write_all(b"\n")
}

/// Writes a line of JSON an export.
pub fn write_lines(checks: &Checks, out: &mut impl Write) -> io::Result<()> {
    for check in &checks.inventories {
        serde_json::to_writer(&mut *out, check)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes the checks as tables for people.
pub fn write_text(checks: &Checks, verbose: bool, out: &mut impl Write) -> io::Result<()> {
    for (number, check) in checks.inventories.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        write_one(check, verbose, out)?;
    }
    Ok(())
}

fn write_one(check: &Check, verbose: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", escape(&check.path))?;
    let mut line = |name: &str, text: &str| writeln!(out, "  {name:<10}{}", escape(text));
    if let Some(error) = &check.error {
        return line("Unreadable", &format!(" {error}"));
    }
    line("Form", &check.form)?;
    line(
        "Profile",
        check
            .profile
            .as_deref()
            .unwrap_or("none; columns by their names"),
    )?;
    if let Some(date) = check.as_of {
        line("As of", &date.strftime("%Y-%m-%d").to_string())?;
    }
    let lost = check.rows.saturating_sub(check.usable_rows);
    line(
        "Rows",
        &format!("{}: {} usable, {lost} not", check.rows, check.usable_rows),
    )?;
    line(
        "Verdict",
        match (check.usable, check.is_doubtful()) {
            (false, _) => "cannot be judged by; --allow-partial-inventory would all the same",
            (true, true) => "can be judged by; doubtful in what is told below",
            (true, false) => "can be judged by",
        },
    )?;
    let width = check
        .columns
        .iter()
        .map(|c| escape(&c.header).chars().count())
        .max()
        .unwrap_or(0)
        .clamp(6, 40);
    writeln!(out, "\n  {:<width$}  is understood as", "Column")?;
    for column in &check.columns {
        let header: String = escape(&column.header).chars().take(width).collect();
        let field = column.field.as_deref().unwrap_or("-");
        writeln!(out, "  {header:<width$}  {field}")?;
    }
    if !check.notes.is_empty() {
        writeln!(out, "\n  Notes")?;
        for note in &check.notes {
            writeln!(out, "    {}", escape(note))?;
        }
    }
    if !check.doubts.is_empty() {
        writeln!(out, "\n  Doubts")?;
        for doubt in &check.doubts {
            let word = if doubt.stops { "stops" } else { "look " };
            writeln!(out, "    {word}  {}", escape(&doubt.reason))?;
        }
    }
    write_faults(&check.faults, verbose, out)
}

fn write_faults(faults: &[Fault], verbose: bool, out: &mut impl Write) -> io::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  Faults")?;
    // A fault of a thousand rows is one of its kind: its words without numbers.
    let kind = |f: &Fault| -> String {
        let words = f.reason.chars().filter(|c| !c.is_ascii_digit());
        format!("{:?} {}", f.column, words.take(24).collect::<String>())
    };
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    let mut held_back = 0;
    for fault in faults {
        let count = told.entry(kind(fault)).or_default();
        *count += 1;
        if *count > MOST_TOLD && !verbose {
            held_back += 1;
            continue;
        }
        let column = fault
            .column
            .as_ref()
            .map(|c| format!("{}: ", escape(c)))
            .unwrap_or_default();
        let lost = if fault.row_lost {
            " (the row is lost)"
        } else {
            ""
        };
        writeln!(
            out,
            "    {}  {column}{}{lost}",
            escape(&fault.source),
            escape(&fault.reason)
        )?;
    }
    if held_back > 0 {
        writeln!(
            out,
            "    and {held_back} more of these kinds: -v tells them"
        )?;
    }
    Ok(())
}
