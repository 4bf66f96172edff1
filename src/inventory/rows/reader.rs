//! Reads one row after the other.

use super::column::{Column, Said};
use crate::inventory::cells::{alternative_name, bits_of_name, list, without_label};
use crate::inventory::columns::Field;
use crate::inventory::heading::Hints;
use crate::inventory::hush::{quoted, shape};
use crate::inventory::mapping::Use;
use crate::inventory::table::Row;
use crate::inventory::{carried, dates, fingerprint, place_columns, serial, words};
use crate::model::{Certificate, Entry, Identifier, Moment, RowFault, RowSource, Sha256Hex};
use arcstr::ArcStr;

/// A longer cell is no name or fingerprint.
const MAX_NAME: usize = 200;

/// Reads rows; what is in it by row is empty between two of them, and keeps its room.
pub(super) struct Reader {
    /// What an id is before it is read.
    no_id: ArcStr,
    file: ArcStr,
    columns: Vec<Column>,
    /// What each cell of the row says, until it is taken over.
    said: Vec<Said>,
    /// Columns of certificates that the row has a cell in.
    carried: Vec<usize>,
    entry: Entry,
    identifiers: Vec<Identifier>,
    serials: Vec<String>,
    extra: Vec<(ArcStr, Box<str>)>,
    places: place_columns::Columns,
    /// Columns of places with what could not be read in them.
    no_places: Vec<(usize, Vec<String>)>,
    faults: Vec<RowFault>,
    /// The fault that tells of the first identifier that could not be read.
    lost_identifier: Option<usize>,
    /// What the certificate says that the row carries, and its column.
    certificate: Option<(usize, Certificate)>,
}

/// What a row says.
pub(super) struct Read {
    pub(super) entry: Entry,
    pub(super) faults: Vec<RowFault>,
    /// The fault that tells of the first identifier that could not be read.
    pub(super) lost_identifier: Option<usize>,
}

impl Reader {
    pub(super) fn new(name: &str, columns: Vec<Column>) -> Self {
        let (no_id, file) = (ArcStr::default(), ArcStr::from(name));
        Self {
            entry: blank(&no_id, &file),
            no_id,
            file,
            columns,
            said: Vec::new(),
            carried: Vec::new(),
            identifiers: Vec::new(),
            serials: Vec::new(),
            extra: Vec::new(),
            places: place_columns::Columns::default(),
            no_places: Vec::new(),
            faults: Vec::new(),
            lost_identifier: None,
            certificate: None,
        }
    }

    /// Reads a row.
    pub(super) fn read(&mut self, row: Row<'_>) -> Read {
        self.entry.source.at = row.at;
        self.look(row);
        self.fields(row);
        for column in std::mem::take(&mut self.carried) {
            self.certificate(column, row.cells.get(column).unwrap_or_default());
        }
        self.combine_serial();
        self.hold_against_certificate();
        self.places();
        self.finish();
        self.entry.identifiers = self.identifiers.drain(..).collect();
        if !self.extra.is_empty() {
            self.extra.sort_by(|a, b| a.0.cmp(&b.0));
            self.entry.extra = self.extra.drain(..).collect();
        }
        Read {
            entry: std::mem::replace(&mut self.entry, blank(&self.no_id, &self.file)),
            faults: std::mem::take(&mut self.faults),
            lost_identifier: self.lost_identifier.take(),
        }
    }

    /// What the cells say by themselves; private material is told before all else.
    fn look(&mut self, row: Row<'_>) {
        self.said.clear();
        for (index, cell) in row.cells.iter() {
            let Some(column) = self.columns.get_mut(index) else {
                self.said.push(Said::Nothing);
                continue;
            };
            let said = column.says(cell);
            match &said {
                Said::Private => self.fault(
                    index,
                    "cell holds private material; it was left out".to_owned(),
                ),
                Said::Extra => self.keep(index, cell),
                // The type first: it tells what a bare digest means.
                Said::Type(text, kind, is_algorithm) => {
                    self.entry.type_text = Some(text.clone());
                    self.entry.kind = *kind;
                    // `Key type: RSA`
                    if *is_algorithm && self.entry.algorithm.is_none() {
                        self.entry.algorithm = Some(text.clone());
                    }
                }
                _ => {}
            }
            self.said.push(said);
        }
    }

    fn fields(&mut self, row: Row<'_>) {
        let mut said = std::mem::take(&mut self.said);
        for ((index, cell), said) in row.cells.iter().zip(said.drain(..)) {
            let Some(Use::Field(field, hints)) = self.columns.get(index).map(|c| c.used) else {
                continue;
            };
            match said {
                Said::Nothing | Said::Private | Said::Extra | Said::Type(..) => {}
                Said::Open => self.open_cell(index, field, hints, cell),
                Said::Digest(digest) => self.digest(index, field, digest, cell),
                said => self.closed_cell(index, field, said, cell),
            }
        }
        self.said = said;
    }

    /// A cell that must be read with the rest of its row.
    fn open_cell(&mut self, column: usize, field: Field, hints: Hints, cell: &str) {
        match field {
            // Read last: it is held against the others.
            Field::Certificate => self.carried.push(column),
            Field::Serial => self.serial(column, cell, hints),
            Field::PublicKey => self.public_key(column, cell),
            _ if field.is_identifier() => self.identifiers(column, field, cell),
            _ if field.is_place() => self.place(column, field, cell),
            _ if words::is_nothing(cell) => {}
            Field::Id => self.entry.id = first_line(cell).into(),
            Field::Name => self.entry.name = Some(cell.into()),
            Field::Subject => self.entry.subject = Some(without_label(cell, "subject").into()),
            Field::Custodians => {
                self.entry.custodians = list(cell, false).into_iter().map(Into::into).collect();
            }
            Field::Sans => {
                self.entry.sans = list(cell, true)
                    .iter()
                    .filter_map(|s| alternative_name(s))
                    .collect();
            }
            _ => {}
        }
    }

    /// A cell that its column understood by itself.
    fn closed_cell(&mut self, column: usize, field: Field, said: Said, cell: &str) {
        let entry = &mut self.entry;
        match said {
            Said::Text(text) => {
                let text = Some(text);
                match field {
                    Field::Purpose => entry.purpose = text,
                    Field::Criticality => entry.criticality = text,
                    Field::Environment => entry.environment = text,
                    Field::Algorithm => entry.algorithm = text,
                    _ => {}
                }
            }
            Said::Shared(owner) if field == Field::Owner => entry.owner = Some(owner),
            Said::Shared(issuer) => entry.issuer = Some(issuer),
            Said::Date(Ok(moment)) => match field {
                Field::Created => entry.created = moment,
                Field::LastRotated => entry.last_rotated = moment,
                Field::NotBefore => entry.not_before = moment,
                _ => entry.expires = moment,
            },
            Said::State(Some(state)) => entry.state = Some(state),
            Said::Days(Ok(days)) => entry.rotation_period_days = days,
            Said::Bits(Some(bits)) => entry.bits = Some(bits),
            Said::Hosts(Some(hosts)) => entry.allowed_hosts = hosts,
            said => self.unread_cell(column, &said, cell),
        }
    }

    /// Tells of a cell that could not be read, and keeps it.
    fn unread_cell(&mut self, column: usize, said: &Said, cell: &str) {
        let undecided = self.columns.get(column).is_some_and(|c| c.is_undecided);
        let reason = match said {
            // An undecided column was told once.
            Said::Date(Err(dates::Fault::Undecided)) if undecided => None,
            Said::Date(Err(fault)) => Some(format!("{} (shape {})", fault.words(), shape(cell))),
            Said::Days(Err(reason)) => Some(format!("{reason} (shape {})", shape(cell))),
            Said::State(_) => Some(no_state(cell)),
            Said::Bits(_) => Some(format!("no key size in bits (shape {})", shape(cell))),
            Said::Hosts(_) => Some(format!("no number of hosts (shape {})", shape(cell))),
            _ => None,
        };
        if let Some(reason) = reason {
            self.fault(column, reason);
        }
        self.keep(column, cell);
    }

    fn fault(&mut self, column: usize, reason: String) {
        self.faults.push(RowFault {
            source: self.entry.source.to_string(),
            column: self.columns.get(column).map(|c| quoted(&c.header)),
            reason,
            row_lost: false,
        });
    }

    /// Notes that the next fault tells of an identifier.
    fn lose_identifier(&mut self) {
        self.lost_identifier.get_or_insert(self.faults.len());
    }

    /// Keeps a cell that is no field's, or could not be read.
    fn keep(&mut self, column: usize, cell: &str) {
        if let Some(column) = self.columns.get(column)
            && !self
                .extra
                .iter()
                .any(|(header, _)| *header == column.header)
        {
            self.extra
                .push((ArcStr::clone(&column.header), cell.into()));
        }
    }

    fn serial(&mut self, column: usize, cell: &str, hints: Hints) {
        if words::is_nothing(cell) {
            return;
        }
        match serial::readings(cell, hints.base) {
            Ok(readings) => self.serials.extend(readings),
            Err(reason) => {
                self.lose_identifier();
                self.fault(column, format!("{reason} (shape {})", shape(cell)));
                self.keep(column, cell);
            }
        }
    }

    fn digest(&mut self, column: usize, field: Field, digest: Sha256Hex, cell: &str) {
        match fingerprint::by_sha256(digest, field, self.entry.kind) {
            Some(identifier) => self.add(identifier),
            None => self.identifiers(column, field, cell),
        }
    }

    fn identifiers(&mut self, column: usize, field: Field, cell: &str) {
        if let Some(identifier) = fingerprint::plain(cell, field) {
            self.add(identifier);
            return;
        }
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
                let contradicts = self.identifiers.iter().any(|own| {
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
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        entry.subject = entry.subject.take().or_else(|| text(&facts.subject));
        entry.issuer = entry.issuer.take().or_else(|| text(&facts.issuer));
        if entry.sans.is_empty() {
            entry.sans = facts.sans;
        }
    }

    fn add(&mut self, identifier: Identifier) {
        if !self.identifiers.contains(&identifier) {
            self.identifiers.push(identifier);
        }
    }

    /// A serial with the row's issuer names one certificate.
    fn combine_serial(&mut self) {
        for serial in std::mem::take(&mut self.serials) {
            let serial: Box<str> = serial.into();
            if let Some(issuer) = self.entry.issuer.clone() {
                self.add(Identifier::IssuerSerial {
                    issuer,
                    serial: serial.clone(),
                });
            }
            self.add(Identifier::Serial(serial));
        }
    }

    fn place(&mut self, column: usize, field: Field, cell: &str) {
        let faults = match field {
            Field::Host => self.places.host(cell),
            Field::Path => self.places.path(cell),
            _ => self.places.location(cell),
        };
        if !faults.is_empty() {
            self.keep(column, cell);
            self.no_places.push((column, faults));
        }
    }

    /// All places of the row; what is wrong with them is told behind all else.
    fn places(&mut self) {
        for (column, faults) in std::mem::take(&mut self.no_places) {
            for reason in faults {
                self.fault(column, reason);
            }
        }
        self.entry.places = self.places.combined();
    }

    /// What one field tells about another.
    fn finish(&mut self) {
        if let Some(name) = &self.entry.algorithm
            && self.entry.bits.is_none()
            && let Some(bits) = bits_of_name(name)
        {
            self.entry.bits = Some(bits);
        }
        // A register may use a fingerprint as its id; a random id of that length must not pass for one beside real ones.
        let id = &*self.entry.id;
        let lacks = self.identifiers.is_empty() && self.lost_identifier.is_none();
        if is_explicit(id) || (lacks && is_digest(id)) {
            let found = fingerprint::read_cell(id, Field::Fingerprint, self.entry.kind);
            for identifier in found.identifiers {
                self.add(identifier);
            }
        }
    }
}

fn blank(no_id: &ArcStr, file: &ArcStr) -> Entry {
    let source = RowSource {
        file: file.clone(),
        at: 0,
    };
    Entry::new(ArcStr::clone(no_id), source)
}

fn first_line(cell: &str) -> &str {
    let end = memchr::memchr(b'\n', cell.as_bytes());
    cell.get(..end.unwrap_or(cell.len())).unwrap_or("").trim()
}

/// Whether an id says by itself that it is a fingerprint.
fn is_explicit(id: &str) -> bool {
    let starts = |label: &str| {
        let start = id.as_bytes().get(..label.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(label.as_bytes()))
    };
    starts("sha256:") || starts("md5:") || starts("sha1:") || fingerprint::own_key_id(id).is_some()
}

fn is_digest(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A word is told as it is, so that it can be mended; what may be anything else only by its shape.
fn no_state(cell: &str) -> String {
    let is_word = cell.chars().count() <= 32
        && cell
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '_'));
    let seen = if is_word {
        cell.to_owned()
    } else {
        format!("(shape {})", shape(cell))
    };
    format!("no state that is known: {seen}; the row counts as having none")
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
