//! Profiles: what the columns of one product's export mean, as data (`src/inventory/profiles/*.toml`, or the user's own).
//!
//! A profile says by which columns an export is known, which column stands for which field, what words mean, and what makes
//! such an export doubtful. Where it is silent, columns are understood by their names as always.

use super::InventoryError;
use super::columns::Field;
use super::heading::{Base, Order, compact};
use super::memo::Memo;
use super::table::{Cell, Cells, Span, Table};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

/// Largest profile that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Stands for every word that is not named.
const ANY: &str = "*";

/// The profiles that are built in, in the order of asking.
const BUILT_IN: &[&str] = &[
    include_str!("profiles/aws_acm.toml"),
    include_str!("profiles/aws_iam.toml"),
    include_str!("profiles/azure_key_vault.toml"),
    include_str!("profiles/google_certificate_manager.toml"),
    include_str!("profiles/vault_pki.toml"),
    include_str!("profiles/ejbca.toml"),
    include_str!("profiles/cert_manager.toml"),
    include_str!("profiles/certbot.toml"),
    include_str!("profiles/step_ca.toml"),
    include_str!("profiles/ad_cs.toml"),
    include_str!("profiles/venafi.toml"),
    include_str!("profiles/keyfactor.toml"),
    include_str!("profiles/servicenow.toml"),
    include_str!("profiles/teleport.toml"),
];

static PARSED: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    // A test holds every built-in one to be readable.
    BUILT_IN
        .iter()
        .filter_map(|text| Profile::from_toml(text).ok())
        .collect()
});

/// What one product's export means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, in lower case with hyphens.
    pub name: String,
    /// The product and the command or page that makes the export.
    pub title: String,
    /// Where the product documents this form.
    #[serde(default)]
    pub source: String,
    /// The array that has the rows, in documents that have several or nest them.
    #[serde(default)]
    rows: Vec<String>,
    /// By which columns it is known: one of these sets must be there as a whole.
    fits: Vec<Vec<String>>,
    /// Field to the columns that stand for it; several add up or the first that is there counts.
    #[serde(default)]
    fields: BTreeMap<String, Columns>,
    /// Columns whose name suggests a field that they are not.
    #[serde(default)]
    other: Vec<String>,
    /// Whether cells of columns that are not known are left out, as they may hold secrets.
    #[serde(default)]
    keeps_only_fields: bool,
    /// Field to what holds for every row that does not say it.
    #[serde(default)]
    constants: BTreeMap<String, String>,
    /// Field to words and what they mean.
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    /// How dates are written.
    #[serde(default)]
    dates: Dates,
    /// How serial numbers are written.
    #[serde(default)]
    serials: Serials,
    /// Column and the words by which rows are taken; others are passed over.
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    /// Rows that are completed by others of the same export.
    #[serde(default)]
    join: Option<Join>,
    /// Columns that are suspicious if every row says the same.
    #[serde(default)]
    one_sided: Vec<OneSided>,
}

/// One column or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Columns {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dates {
    /// `day-first` or `month-first`, of dates in numbers.
    #[serde(default)]
    order: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Serials {
    /// `decimal` or `hexadecimal`, of serials in digits alone.
    #[serde(default)]
    base: Option<String>,
}

/// Rows that take cells from another row where both have the same words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    /// The column that tells the two sorts of rows apart.
    by: String,
    /// The word of rows that are completed.
    into: String,
    /// Their columns.
    where_columns: Vec<String>,
    /// The word of rows that complete them, and are then no rows of their own.
    from: String,
    /// Their columns.
    equal: Vec<String>,
}

/// A column whose sameness is suspicious.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneSided {
    columns: Vec<String>,
    /// The words of which all rows have one.
    words: Vec<String>,
    /// So many rows at least.
    rows: usize,
    reason: String,
}

/// A column that stands for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) field: Field,
    pub(super) column: usize,
    /// Whether it stands for another field before this one.
    pub(super) copied: bool,
}

impl Profile {
    /// Reads a user's own profile.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML of this form, or names a field that is not known.
    pub fn read(path: &Path) -> Result<Self, InventoryError> {
        let shown = path.display().to_string();
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(|source| InventoryError::Io {
                path: shown.clone(),
                source,
            })?;
        Self::from_toml(&text).map_err(|reason| InventoryError::Profile {
            path: shown,
            reason,
        })
    }

    fn from_toml(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let fields = profile
            .fields
            .keys()
            .chain(profile.constants.keys())
            .chain(profile.values.keys());
        for field in fields {
            if Field::from_name(field).is_none() {
                return Err(format!(
                    "no field {field:?}; there are {}",
                    Field::names().join(", ")
                ));
            }
        }
        if profile.fits.iter().any(Vec::is_empty) || profile.fits.is_empty() {
            return Err("`fits` names no columns".to_owned());
        }
        let bases = [None, Some("decimal"), Some("hexadecimal")];
        let orders = [None, Some("day-first"), Some("month-first")];
        if !bases.contains(&profile.serials.base.as_deref())
            || !orders.contains(&profile.dates.order.as_deref())
        {
            return Err(
                "`base` is decimal or hexadecimal, `order` day-first or month-first".to_owned(),
            );
        }
        Ok(profile)
    }

    /// The fields with their columns, in the order of preference.
    pub(super) fn columns(&self) -> impl Iterator<Item = (Field, &str)> {
        self.fields.iter().flat_map(|(field, columns)| {
            let columns = match columns {
                Columns::One(one) => std::slice::from_ref(one),
                Columns::Several(several) => several.as_slice(),
            };
            let field = Field::from_name(field);
            columns
                .iter()
                .filter_map(move |c| Some((field?, c.as_str())))
        })
    }

    /// Whether an export with these columns is of this product.
    pub(super) fn is_of(&self, headers: &[String]) -> bool {
        self.fit(headers) > 0
    }

    /// Which columns stand for which field: of a field that does not add up the first that is there. A column may stand for
    /// two fields; the second is a copy of it.
    pub(super) fn assignment(&self, headers: &[String]) -> Vec<Assigned> {
        let mut out: Vec<Assigned> = Vec::new();
        for (field, column) in self.columns() {
            let Some(at) = headers.iter().position(|h| same(h, column)) else {
                continue;
            };
            if !field.adds_up() && out.iter().any(|a| a.field == field) {
                continue;
            }
            if !out.iter().any(|a| a.field == field && a.column == at) {
                let copied = out.iter().any(|a| a.column == at);
                out.push(Assigned {
                    field,
                    column: at,
                    copied,
                });
            }
        }
        out
    }

    /// Whether a column is none of the fields that its name suggests.
    pub(super) fn sets_aside(&self, header: &str) -> bool {
        self.other.iter().any(|o| same(o, header))
    }

    /// Whether only columns of fields are kept.
    pub(super) const fn keeps_only_fields(&self) -> bool {
        self.keeps_only_fields
    }

    /// The order of day and month.
    pub(super) fn order(&self) -> Option<Order> {
        match self.dates.order.as_deref() {
            Some("day-first") => Some(Order::DayFirst),
            Some("month-first") => Some(Order::MonthFirst),
            _ => None,
        }
    }

    /// The base of serials.
    pub(super) fn base(&self) -> Option<Base> {
        match self.serials.base.as_deref() {
            Some("decimal") => Some(Base::Decimal),
            Some("hexadecimal") => Some(Base::Hexadecimal),
            _ => None,
        }
    }

    /// How many columns of the best set are there; 0 where none is there as a whole.
    fn fit(&self, headers: &[String]) -> usize {
        let has = |column: &String| headers.iter().any(|h| same(column, h));
        self.fits
            .iter()
            .filter(|set| set.iter().all(has))
            .map(Vec::len)
            .max()
            .unwrap_or(0)
    }

    /// Changes the table as the profile says: rows that are none are passed over, others completed, words translated,
    /// constants put in.
    pub(super) fn apply(&self, table: &mut Table) {
        self.pass_over(table);
        if let Some(join) = &self.join {
            join.apply(table);
        }
        self.copy(table);
        for (field, words) in &self.values {
            self.translate(field, words, table);
        }
        for (field, value) in &self.constants {
            self.fill_in(field, value, table);
        }
    }

    /// Words that a row must have in a column, to be taken as one of a thing.
    pub(super) fn demanded(&self, headers: &[String]) -> Vec<(usize, String)> {
        let only = self
            .only
            .iter()
            .filter_map(|(c, words)| Some((c, words.first()?)));
        let join = self.join.iter().map(|j| (&j.by, &j.into));
        only.chain(join)
            .filter_map(|(column, word)| {
                let at = headers.iter().position(|h| same(h, column))?;
                Some((at, word.clone()))
            })
            .collect()
    }

    /// Copies columns that stand for a second field.
    fn copy(&self, table: &mut Table) {
        for assigned in self.assignment(&table.headers) {
            if !assigned.copied {
                continue;
            }
            let column = table.headers.len();
            table.headers.push(constant_header(assigned.field.name()));
            table.rows.change(|_, cells| {
                let own = cells.iter().find(|c| c.column() == assigned.column);
                let copy = own.and_then(|cell| Cell::new(column, cell.span()));
                cells.extend(copy);
            });
        }
    }

    fn pass_over(&self, table: &mut Table) {
        for (column, words) in &self.only {
            let Some(index) = index_of(table, column) else {
                continue;
            };
            let before = table.rows.len();
            table.rows.retain(|row| {
                let cell = row.cells.get(index);
                cell.is_none_or(|cell| words.iter().any(|w| same(w, cell)))
            });
            let gone = before - table.rows.len();
            if gone > 0 {
                let rows = if gone == 1 {
                    "1 row is"
                } else {
                    &format!("{gone} rows are")
                };
                table.note(format!("{rows} of another sort ({column}) and passed over"));
            }
        }
    }

    fn translate(&self, field: &str, words: &BTreeMap<String, String>, table: &mut Table) {
        let wanted = Field::from_name(field);
        let indexes: Vec<usize> = self
            .columns()
            .filter(|(f, _)| Some(*f) == wanted)
            .filter_map(|(_, column)| index_of(table, column))
            .collect();
        let mut kept = |word: &String| table.rows.keep(word);
        let words: Vec<(&String, Option<Span>)> = words
            .iter()
            .map(|(from, word)| (from, kept(word)))
            .collect();
        let meant = |cell: &str| {
            let word = words
                .iter()
                .find(|(from, _)| *from != ANY && same(from, cell))
                .or_else(|| words.iter().find(|(from, _)| *from == ANY));
            word.and_then(|(_, word)| *word)
        };
        let mut known: Memo<Option<Span>> = Memo::default();
        table.rows.change(|row, cells| {
            for cell in cells.iter_mut() {
                if indexes.contains(&cell.column())
                    && let Some(word) = known.get(row.cells.text(*cell), meant)
                {
                    // A word of a profile has room.
                    *cell = Cell::new(cell.column(), word).unwrap_or(*cell);
                }
            }
            cells.retain(|cell| cell.span().len() > 0);
        });
    }

    fn fill_in(&self, field: &str, value: &str, table: &mut Table) {
        let wanted = Field::from_name(field);
        let present: Vec<usize> = self
            .columns()
            .filter(|(f, _)| Some(*f) == wanted)
            .filter_map(|(_, column)| index_of(table, column))
            .collect();
        let column = table.headers.len();
        let mut used = false;
        let kept = table.rows.keep(value);
        let Some(word) = kept.and_then(|word| Cell::new(column, word)) else {
            return;
        };
        table.rows.change(|_, cells| {
            if !cells.iter().any(|cell| present.contains(&cell.column())) {
                cells.push(word);
                used = true;
            }
        });
        if used {
            table.headers.push(constant_header(field));
        }
    }

    /// What is suspicious about the rows as a whole.
    pub(super) fn suspicions(&self, table: &Table) -> Vec<String> {
        let mut out = Vec::new();
        for check in &self.one_sided {
            let columns: Vec<usize> = check
                .columns
                .iter()
                .filter_map(|c| index_of(table, c))
                .collect();
            let all = table.rows.iter().all(|row| {
                let cell = row.cells.iter().find(|(at, _)| columns.contains(at));
                cell.is_some_and(|(_, cell)| check.words.iter().any(|w| same(w, cell)))
            });
            if all && table.rows.len() >= check.rows {
                out.push(check.reason.clone());
            }
        }
        out
    }
}

impl Join {
    /// Completes rows.
    fn apply(&self, table: &mut Table) {
        let Some(by) = index_of(table, &self.by) else {
            return;
        };
        let indexes = |names: &[String]| -> Option<Vec<usize>> {
            names.iter().map(|n| index_of(table, n)).collect()
        };
        let (Some(left), Some(right)) = (indexes(&self.where_columns), indexes(&self.equal)) else {
            return;
        };
        let key = |cells: Cells<'_>, columns: &[usize]| -> Option<Vec<String>> {
            let of = |c: &usize| cells.get(*c).map(str::to_owned);
            columns.iter().map(of).collect()
        };
        let is = |cells: Cells<'_>, word: &str| cells.get(by).is_some_and(|cell| same(word, cell));
        let mut givers = HashMap::new();
        for (number, row) in table.rows.iter().enumerate() {
            if is(row.cells, &self.from)
                && let Some(key) = key(row.cells, &right)
            {
                givers.insert(key, number);
            }
        }
        let mut given = std::collections::HashSet::new();
        let mut completed: HashMap<usize, Vec<Cell>> = HashMap::new();
        for (number, row) in table.rows.iter().enumerate() {
            if is(row.cells, &self.into)
                && let Some(giver) = key(row.cells, &left).and_then(|k| givers.get(&k))
                && let Some(other) = table.rows.get(*giver)
            {
                let lacks = |cell: &&Cell| row.cells.get(cell.column()).is_none();
                let lacking = other.cells.kept().iter().filter(lacks);
                let mut cells: Vec<Cell> =
                    row.cells.kept().iter().chain(lacking).copied().collect();
                cells.sort_by_key(|cell| cell.column());
                completed.insert(number, cells);
                given.insert(*giver);
            }
        }
        let mut number = 0;
        table.rows.change(|_, cells| {
            if let Some(completed) = completed.remove(&number) {
                *cells = completed;
            }
            number += 1;
        });
        let mut number = 0;
        table.rows.retain(|_| {
            number += 1;
            !given.contains(&(number - 1))
        });
    }
}

/// The header of a column that a profile's constant fills.
fn constant_header(field: &str) -> String {
    format!("{field} (by the profile)")
}

fn index_of(table: &Table, column: &str) -> Option<usize> {
    table.headers.iter().position(|h| same(column, h))
}

/// Names are compared without case, blanks and punctuation, as always.
pub(super) fn same(a: &str, b: &str) -> bool {
    compact(a) == compact(b)
}

/// The profile that fits best: of the user's own the first that fits, else the built-in one that is known by most columns.
pub(super) fn choose<'a>(own: &'a [Profile], headers: &[String]) -> Option<&'a Profile> {
    if let Some(own) = own.iter().find(|p| p.is_of(headers)) {
        return Some(own);
    }
    let mut best: Option<(usize, &Profile)> = None;
    for profile in PARSED.iter() {
        let fit = profile.fit(headers);
        if fit > best.map_or(0, |(b, _)| b) {
            best = Some((fit, profile));
        }
    }
    best.map(|(_, profile)| profile)
}

/// The path of the array that has a document's rows, where a profile names one that is there.
pub(super) fn rows_of<'a>(
    own: &'a [Profile],
    document: &serde_json::Map<String, serde_json::Value>,
) -> Option<&'a str> {
    let there = |path: &&String| {
        let mut members = Some(document);
        let mut found = None;
        for part in path.split('.') {
            found = members.and_then(|m| m.get(part));
            members = found.and_then(serde_json::Value::as_object);
        }
        found
            .and_then(serde_json::Value::as_array)
            .is_some_and(|items| items.iter().any(serde_json::Value::is_object))
    };
    own.iter()
        .chain(PARSED.iter())
        .flat_map(|p| &p.rows)
        .find(there)
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_is_readable_and_has_a_source() {
        for text in BUILT_IN {
            let profile = Profile::from_toml(text).unwrap();
            assert!(profile.source.starts_with("https://"), "{}", profile.name);
            assert!(!profile.title.is_empty());
        }
        assert_eq!(PARSED.len(), BUILT_IN.len());
        let names: std::collections::BTreeSet<&str> =
            PARSED.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names.len(), BUILT_IN.len());
    }

    #[test]
    fn every_profile_file_is_in_the_list() {
        let files = std::fs::read_dir("src/inventory/profiles").unwrap().count();
        assert_eq!(files, BUILT_IN.len());
    }

    #[test]
    fn faulty_profiles_are_refused_with_the_reason() {
        let whole = "name='a'\ntitle='b'\nfits=[['x']]\n";
        assert!(Profile::from_toml(whole).is_ok());
        for (text, word) in [
            (format!("{whole}[fields]\nownr='x'\n"), "no field"),
            (format!("{whole}colour='x'\n"), "unknown field"),
            (whole.replace("[['x']]", "[[]]"), "fits"),
            (format!("{whole}[dates]\norder='x'\n"), "order"),
        ] {
            let error = Profile::from_toml(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
