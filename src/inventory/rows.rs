//! From rows of text to entries: each cell is read as its column's field says.

use super::cells::{
    allowed_hosts, alternative_name, bits_of_name, leading_number, list, without_label,
};
use super::columns::Field;
use super::dates::{self, Evidence};
use super::heading::{Hints, Order};
use super::hush::{holds_private_material, quoted, shape};
use super::mapping::{Mapping, Use};
use super::table::{Row, Table};
use super::{carried, fingerprint, period, place_columns, serial, words};
use crate::model::{Certificate, Entry, Identifier, Moment, RowFault};
use std::collections::{HashMap, HashSet};

/// Most faults of cells that are told one by one.
const MAX_FAULTS: usize = 10_000;

/// A longer cell is no name or fingerprint.
const MAX_NAME: usize = 200;

/// What a table's rows say.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub(super) entries: Vec<Entry>,
    pub(super) faults: Vec<RowFault>,
    /// Entries whose row has identifiers of which none could be read.
    pub(super) spoilt: usize,
}

/// Understands all rows.
pub(super) fn understand(name: &str, table: &Table, mapping: &Mapping) -> Understood {
    let mut out = Understood::default();
    let orders = date_orders(name, table, mapping, &mut out.faults);
    let mut ids: HashSet<String> = HashSet::new();
    let mut repeats: HashMap<String, usize> = HashMap::new();
    let mut untold = 0usize;
    for row in &table.rows {
        let mut reader = Reader {
            name,
            row,
            headers: &table.headers,
            entry: Entry {
                source: format!("{name}:{}", row.at),
                ..Entry::default()
            },
            faults: Vec::new(),
            lost_identifier: None,
            certificate: None,
        };
        reader.read(mapping, &orders);
        let Reader {
            mut entry,
            mut faults,
            lost_identifier,
            ..
        } = reader;
        if entry.id.is_empty() {
            entry.id = format!("row-{}", row.at);
        }
        if !ids.insert(entry.id.clone()) {
            let count = repeats.entry(entry.id.clone()).or_insert(1);
            let unique = loop {
                *count += 1;
                let candidate = format!("{}#{count}", entry.id);
                if ids.insert(candidate.clone()) {
                    break candidate;
                }
            };
            faults.push(RowFault {
                source: entry.source.clone(),
                column: None,
                reason: format!(
                    "its id was seen before in this file; it is told as {}",
                    quoted(&unique)
                ),
                row_lost: false,
            });
            entry.id = unique;
        }
        if entry.identifiers.is_empty()
            && let Some(fault) = lost_identifier.and_then(|at| faults.get_mut(at))
        {
            fault.row_lost = true;
            entry.unreadable = Some(fault.reason.clone());
            out.spoilt += 1;
        }
        let room = MAX_FAULTS.saturating_sub(out.faults.len());
        untold += faults.len().saturating_sub(room);
        out.faults.extend(faults.into_iter().take(room));
        out.entries.push(entry);
    }
    if untold > 0 {
        out.faults.push(RowFault {
            source: name.to_owned(),
            column: None,
            reason: format!("{untold} further faults are not told one by one"),
            row_lost: false,
        });
    }
    out
}

/// The order of day and month for each date column, settled over the whole of it.
struct Orders {
    by_column: HashMap<usize, Order>,
    undecided: HashSet<usize>,
}

fn date_orders(name: &str, table: &Table, mapping: &Mapping, faults: &mut Vec<RowFault>) -> Orders {
    let mut orders = Orders {
        by_column: HashMap::new(),
        undecided: HashSet::new(),
    };
    let mut evidence: HashMap<usize, Evidence> = HashMap::new();
    for (column, cell) in table.rows.iter().flat_map(|r| &r.cells) {
        match mapping.uses.get(*column) {
            Some(Use::Field(field, hints)) if field.is_date() => match hints.order {
                Some(order) => {
                    orders.by_column.insert(*column, order);
                }
                None => evidence.entry(*column).or_default().add(cell),
            },
            _ => {}
        }
    }
    let mut columns: Vec<(usize, Evidence)> = evidence.into_iter().collect();
    columns.sort_by_key(|(column, _)| *column);
    for (column, evidence) in columns {
        if let Some(order) = evidence.order() {
            orders.by_column.insert(column, order);
        } else if evidence.is_unsettled() {
            orders.undecided.insert(column);
            faults.push(RowFault {
                source: name.to_owned(),
                column: table.headers.get(column).map(|h| quoted(h)),
                reason: "day and month cannot be told apart in this column; its dates of that form are not used \
                         (write them as 2026-12-31, or name the column with (DD/MM/YYYY))"
                    .to_owned(),
                row_lost: false,
            });
        }
    }
    orders
}

struct Reader<'a> {
    name: &'a str,
    row: &'a Row,
    headers: &'a [String],
    entry: Entry,
    faults: Vec<RowFault>,
    /// The fault that tells of the first identifier that could not be read.
    lost_identifier: Option<usize>,
    /// What the certificate says that the row carries, and its column.
    certificate: Option<(usize, Certificate)>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, mapping: &Mapping, orders: &Orders) {
        let row = self.row;
        let mut fields: Vec<(usize, Field, Hints, &'a str)> = Vec::new();
        for (column, cell) in &row.cells {
            let used = mapping.uses.get(*column).copied().unwrap_or(Use::Extra);
            if used == Use::Secret {
                continue;
            }
            if holds_private_material(cell) {
                self.fault(
                    *column,
                    "cell holds private material; it was left out".to_owned(),
                );
                continue;
            }
            match used {
                Use::Field(field, hints) => fields.push((*column, field, hints, cell)),
                _ => {
                    let header = self.headers.get(*column).cloned().unwrap_or_default();
                    self.entry.extra.insert(header, cell.clone());
                }
            }
        }
        // The type first: it tells what a bare digest means.
        if let Some((_, _, _, cell)) = fields.iter().find(|f| f.1 == Field::Type)
            && !words::is_nothing(cell)
        {
            self.entry.type_text = Some((*cell).to_owned());
            self.entry.kind = words::kind(cell);
        }
        let mut serials: Vec<String> = Vec::new();
        for (column, field, hints, cell) in &fields {
            if field.is_date() {
                self.date(*column, *field, cell, orders);
            } else if *field == Field::Serial {
                self.serial(*column, cell, *hints, &mut serials);
            } else if *field == Field::Certificate {
                // Read last: it is held against the others.
            } else if *field == Field::PublicKey {
                self.public_key(*column, cell);
            } else if field.is_identifier() {
                self.identifiers(*column, *field, cell);
            } else {
                self.plain(*column, *field, *hints, cell);
            }
        }
        for (column, _, _, cell) in fields.iter().filter(|f| f.1 == Field::Certificate) {
            self.certificate(*column, cell);
        }
        self.combine_serial(serials);
        self.hold_against_certificate();
        self.places(&fields);
        self.finish();
    }

    fn fault(&mut self, column: usize, reason: String) {
        self.faults.push(RowFault {
            source: format!("{}:{}", self.name, self.row.at),
            column: self.headers.get(column).map(|h| quoted(h)),
            reason,
            row_lost: false,
        });
    }

    /// Notes that the next fault tells of an identifier.
    fn lose_identifier(&mut self) {
        self.lost_identifier.get_or_insert(self.faults.len());
    }

    fn plain(&mut self, column: usize, field: Field, hints: Hints, cell: &str) {
        if words::is_nothing(cell) {
            return;
        }
        let text = || Some(cell.to_owned());
        let entry = &mut self.entry;
        match field {
            Field::Id => entry.id = cell.lines().next().unwrap_or("").trim().to_owned(),
            Field::Name => entry.name = text(),
            Field::Purpose => entry.purpose = text(),
            Field::Owner => entry.owner = text(),
            Field::Criticality => entry.criticality = text(),
            Field::Environment => entry.environment = text(),
            Field::Algorithm => entry.algorithm = text(),
            Field::Subject => entry.subject = Some(without_label(cell, "subject")),
            Field::Issuer => entry.issuer = Some(without_label(cell, "issuer")),
            Field::Custodians => entry.custodians = list(cell, false),
            Field::Sans => {
                entry.sans = list(cell, true)
                    .iter()
                    .filter_map(|s| alternative_name(s))
                    .collect()
            }
            Field::State => match words::state(cell) {
                Some(state) => entry.state = Some(state),
                None => {
                    let harmless = cell.chars().count() <= 32
                        && cell
                            .chars()
                            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '_'));
                    let seen = if harmless {
                        cell.to_owned()
                    } else {
                        format!("(shape {})", shape(cell))
                    };
                    self.fault(
                        column,
                        format!("no state that is known: {seen}; the row counts as having none"),
                    );
                    self.keep(column, cell);
                }
            },
            Field::RotationPeriod => match period::days(cell, hints.unit) {
                Ok(days) => entry.rotation_period_days = days,
                Err(reason) => {
                    self.fault(column, format!("{reason} (shape {})", shape(cell)));
                    self.keep(column, cell);
                }
            },
            Field::Bits => match leading_number(cell) {
                Some(bits) if (1..=65_536).contains(&bits) => entry.bits = Some(bits),
                _ => {
                    self.fault(
                        column,
                        format!("no key size in bits (shape {})", shape(cell)),
                    );
                    self.keep(column, cell);
                }
            },
            Field::AllowedHosts => match allowed_hosts(cell) {
                Some(hosts) => entry.allowed_hosts = hosts,
                None => {
                    self.fault(
                        column,
                        format!("no number of hosts (shape {})", shape(cell)),
                    );
                    self.keep(column, cell);
                }
            },
            _ => {}
        }
    }

    /// Keeps a cell that could not be read with the columns that are not known.
    fn keep(&mut self, column: usize, cell: &str) {
        if let Some(header) = self.headers.get(column) {
            self.entry.extra.insert(header.clone(), cell.to_owned());
        }
    }

    fn date(&mut self, column: usize, field: Field, cell: &str, orders: &Orders) {
        match dates::read(cell, orders.by_column.get(&column).copied()) {
            Ok(moment) => match field {
                Field::Created => self.entry.created = moment,
                Field::LastRotated => self.entry.last_rotated = moment,
                Field::NotBefore => self.entry.not_before = moment,
                _ => self.entry.expires = moment,
            },
            Err(fault) => {
                // An undecided column was told once.
                if fault != dates::Fault::Undecided || !orders.undecided.contains(&column) {
                    self.fault(column, format!("{} (shape {})", fault.words(), shape(cell)));
                }
                self.keep(column, cell);
            }
        }
    }

    fn serial(&mut self, column: usize, cell: &str, hints: Hints, serials: &mut Vec<String>) {
        if words::is_nothing(cell) {
            return;
        }
        match serial::readings(cell, hints.base) {
            Ok(readings) => serials.extend(readings),
            Err(reason) => {
                self.lose_identifier();
                self.fault(column, format!("{reason} (shape {})", shape(cell)));
                self.keep(column, cell);
            }
        }
    }

    fn identifiers(&mut self, column: usize, field: Field, cell: &str) {
        let found = fingerprint::read_cell(cell, field, self.entry.kind);
        if !found.faults.is_empty() {
            self.lose_identifier();
            self.keep(column, cell);
        }
        for reason in found.faults {
            self.fault(column, reason);
        }
        for identifier in found.identifiers {
            self.add(identifier);
        }
    }

    /// A column of that name may hold the certificate's name instead; what is short and no PEM is kept as it is.
    fn certificate(&mut self, column: usize, cell: &str) {
        if words::is_nothing(cell) {
            return;
        }
        match carried::certificate(cell) {
            Ok(found) => {
                let sha256 = found.identifiers.first();
                let contradicts = self.entry.identifiers.iter().any(|own| {
                    matches!(own, Identifier::CertSha256(_)) && Some(own) != sha256
                        || matches!(own, Identifier::CertSha1(_))
                            && !found.identifiers.contains(own)
                });
                if contradicts {
                    self.fault(
                        column,
                        "the row's fingerprint is not that of the certificate that it carries"
                            .to_owned(),
                    );
                }
                for identifier in found.identifiers {
                    self.add(identifier);
                }
                self.certificate.get_or_insert((column, found.facts));
            }
            Err(reason) => {
                if carried::is_pem(cell) || cell.len() > MAX_NAME {
                    self.lose_identifier();
                    self.fault(column, reason.to_owned());
                }
                self.keep(column, cell);
            }
        }
    }

    fn public_key(&mut self, column: usize, cell: &str) {
        if words::is_nothing(cell) {
            return;
        }
        match carried::public_keys(cell) {
            Ok(found) => found.into_iter().for_each(|i| self.add(i)),
            // Some registers have a fingerprint in a column of that name.
            Err(reason)
                if cell.len() > MAX_NAME
                    || cell.contains("ssh-")
                    || cell.contains("-----BEGIN") =>
            {
                self.lose_identifier();
                self.fault(column, reason.to_owned());
                self.keep(column, cell);
            }
            Err(_) => {
                let found = fingerprint::read_cell(cell, Field::Fingerprint, self.entry.kind);
                found.identifiers.into_iter().for_each(|i| self.add(i));
                self.keep(column, cell);
            }
        }
    }

    /// What a carried certificate says is told where the row contradicts it, and fills in what the row does not say.
    fn hold_against_certificate(&mut self) {
        let Some((column, facts)) = self.certificate.take() else {
            return;
        };
        let moment = |at: jiff::Timestamp| Moment { at, has_time: true };
        if let (Some(stated), Some(end)) = (self.entry.expires, facts.not_after)
            && !is_same(stated, end)
        {
            self.fault(
                column,
                format!(
                    "the row says that it expires {}, and its certificate {}",
                    day(stated.at),
                    day(end)
                ),
            );
        }
        let entry = &mut self.entry;
        entry.expires = entry.expires.or_else(|| facts.not_after.map(moment));
        entry.not_before = entry.not_before.or_else(|| facts.not_before.map(moment));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        entry.subject = entry.subject.take().or_else(|| text(&facts.subject));
        entry.issuer = entry.issuer.take().or_else(|| text(&facts.issuer));
        if entry.sans.is_empty() {
            entry.sans = facts.sans;
        }
    }

    fn add(&mut self, identifier: Identifier) {
        if !self.entry.identifiers.contains(&identifier) {
            self.entry.identifiers.push(identifier);
        }
    }

    /// A serial with the row's issuer names one certificate.
    fn combine_serial(&mut self, serials: Vec<String>) {
        for serial in serials {
            if let Some(issuer) = self.entry.issuer.clone() {
                self.add(Identifier::IssuerSerial {
                    issuer,
                    serial: serial.clone(),
                });
            }
            self.add(Identifier::Serial(serial));
        }
    }

    fn places(&mut self, fields: &[(usize, Field, Hints, &str)]) {
        let mut columns = place_columns::Columns::default();
        for (column, field, _, cell) in fields {
            let faults = match field {
                Field::Location => columns.location(cell),
                Field::Host => columns.host(cell),
                Field::Path => columns.path(cell),
                _ => continue,
            };
            if !faults.is_empty() {
                self.keep(*column, cell);
            }
            for reason in faults {
                self.fault(*column, reason);
            }
        }
        self.entry.places = columns.combined();
    }

    /// What one field tells about another.
    fn finish(&mut self) {
        let entry = &mut self.entry;
        // `Key type: RSA`
        if entry.algorithm.is_none()
            && let Some(word) = &entry.type_text
            && words::is_algorithm(word)
        {
            entry.algorithm = Some(word.clone());
        }
        if entry.bits.is_none() {
            entry.bits = entry.algorithm.as_deref().and_then(bits_of_name);
        }
        // A register may use a fingerprint as its id; a random id of that length must not pass for one beside real ones.
        let explicit = |id: &str| {
            let lower = id.to_ascii_lowercase();
            lower.starts_with("sha256:")
                || lower.starts_with("md5:")
                || lower.starts_with("sha1:")
                || fingerprint::own_key_id(id).is_some()
        };
        let digest =
            |id: &str| matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
        if explicit(&entry.id)
            || (entry.identifiers.is_empty() && self.lost_identifier.is_none() && digest(&entry.id))
        {
            let found = fingerprint::read_cell(&entry.id.clone(), Field::Fingerprint, entry.kind);
            for identifier in found.identifiers {
                self.add(identifier);
            }
        }
    }
}

/// A date without time means the whole day, wherever the day was; a time is that second.
fn is_same(stated: Moment, end: jiff::Timestamp) -> bool {
    let apart = stated.at.as_second().abs_diff(end.as_second());
    if stated.has_time {
        apart <= 60
    } else {
        // The day of the date itself, and 14 hours of zones on either side.
        let noon = stated.at.as_second() + 43_200;
        noon.abs_diff(end.as_second()) <= 43_200 + 14 * 3_600
    }
}

fn day(at: jiff::Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
