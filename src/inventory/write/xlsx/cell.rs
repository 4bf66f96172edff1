//! Cells as XML, and a small workbook of its own for rows alone.

use crate::inventory::write::defused;
use std::io::{Cursor, Write as _};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::inventory) enum Value {
    /// Nothing.
    Empty,
    /// Text, which is never a formula.
    Text(String),
    /// A number.
    Number(String),
    /// A day or a moment, as the days since 1899-12-30.
    Date(String),
}

impl Value {
    /// Text as what its column has.
    pub(in crate::inventory) fn of(text: &str, is_number: bool) -> Self {
        if text.is_empty() {
            return Self::Empty;
        }
        // Spreadsheets keep 15 digits.
        let number =
            !text.starts_with('0') && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
        match serial(text) {
            Some(days) if is_number => Self::Date(days),
            _ if is_number && (number || text == "0") => Self::Number(text.to_owned()),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// The element of a cell; `own` where the styles are those of [`workbook`].
    pub(super) fn cell(
        &self,
        prefix: &str,
        row: u64,
        column: usize,
        style: Option<&str>,
        own: bool,
    ) -> String {
        let p = prefix;
        let at = format!("{}{row}", letters(column));
        let style = match (self, style) {
            (Self::Date(days), None) if own => {
                format!(" s=\"{}\"", if days.contains('.') { 2 } else { 1 })
            }
            (_, Some(style)) => format!(" s=\"{}\"", escaped(style)),
            _ => String::new(),
        };
        match self {
            Self::Empty if style.is_empty() => String::new(),
            Self::Empty => format!("<{p}c r=\"{at}\"{style}/>"),
            Self::Number(value) | Self::Date(value) => {
                format!("<{p}c r=\"{at}\"{style}><{p}v>{value}</{p}v></{p}c>")
            }
            Self::Text(text) => {
                let text = escaped(&defused(text));
                format!(
                    "<{p}c r=\"{at}\"{style} t=\"inlineStr\"><{p}is><{p}t xml:space=\"preserve\">{text}</{p}t></{p}is></{p}c>"
                )
            }
        }
    }
}

/// A workbook of one sheet.
pub(in crate::inventory) fn workbook(rows: &[Vec<Value>]) -> Option<Vec<u8>> {
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const SHEETML: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let mut sheet = format!(
        "{HEAD}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><sheetData>"
    );
    for (row, number) in rows.iter().zip(1u64..) {
        sheet.push_str(&format!("<row r=\"{number}\">"));
        for (column, value) in row.iter().enumerate() {
            sheet.push_str(&value.cell("", number, column, None, true));
        }
        sheet.push_str("</row>");
    }
    sheet.push_str("</sheetData></worksheet>");
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"{SHEETML}.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{SHEETML}.worksheet+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"{SHEETML}.styles+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Keys\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        // Formats 14 and 22 (part 1, section 18.8.30): a date, and a date with its time.
        (
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><fonts count=\"1\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts><fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills><borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs><cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/><xf numFmtId=\"14\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/><xf numFmtId=\"22\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>"
            ),
        ),
    ];
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        out.start_file(name, SimpleFileOptions::default()).ok()?;
        out.write_all(HEAD.as_bytes()).ok()?;
        out.write_all(text.as_bytes()).ok()?;
    }
    out.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default())
        .ok()?;
    out.write_all(sheet.as_bytes()).ok()?;
    Some(out.finish().ok()?.into_inner())
}

/// `2026-01-15` or `2026-01-15T10:00:00[Z]` as days since 1899-12-30; whole seconds alone.
fn serial(text: &str) -> Option<String> {
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, time.trim_end_matches('Z')),
        None => (text, "00:00:00"),
    };
    if day.len() != 10 {
        return None;
    }
    let day: jiff::civil::Date = day.parse().ok()?;
    let time: jiff::civil::Time = time.parse().ok()?;
    let epoch = jiff::civil::date(1899, 12, 30);
    let days = (day - epoch).get_days();
    let seconds =
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    // Dates before March 1900 are off by one in some programs.
    if days < 61 {
        return None;
    }
    if seconds == 0 {
        return Some(days.to_string());
    }
    // Ten digits keep a second apart from the next.
    let fraction = (seconds * 10_000_000_000 + 43_200) / 86_400;
    Some(format!("{days}.{fraction:010}"))
}

pub(super) fn letters(column: usize) -> String {
    let mut out = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        out.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    out.iter().rev().collect()
}

/// Text in XML 1.0: what it does not allow (section 2.2) is left out.
fn escaped(text: &str) -> String {
    let allowed = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let mut out = String::with_capacity(text.len());
    for c in text
        .chars()
        .filter(allowed)
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
