//! Serials that a row gives alone.

use super::super::context::{Cert, Row, World};
use super::super::dates;
use super::super::tokens::{Value, serial_bits, serial_forms};
use crate::model::{Certificate, Identifier};
use foldhash::{HashMap, HashSet};

/// How often each serial occurs, in the sweep and in the inventory.
#[derive(Default)]
pub(super) struct Serials {
    certificates: HashMap<Value, usize>,
    /// Those of precertificates: a precertificate has the serial of its certificate.
    announced: HashSet<Value>,
    rows: HashMap<Value, usize>,
    /// How many digits those have that may as well be decimal: a bit for each number.
    decimal: u128,
}

impl Serials {
    pub(super) fn count(world: &World<'_>) -> Self {
        let mut out = Self {
            certificates: HashMap::with_capacity_and_hasher(
                world.certificates.len(),
                Default::default(),
            ),
            ..Self::default()
        };
        for row in &world.rows {
            let serials = row.entry.identifiers.iter().filter_map(|i| match i {
                Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => {
                    Some(Value::serial(serial))
                }
                _ => None,
            });
            let mut serials: Vec<Value> = serials.collect();
            serials.sort_unstable();
            serials.dedup();
            for serial in serials {
                *out.rows.entry(serial).or_default() += 1;
            }
        }
        for facts in world.certificates.iter().filter_map(|c| world.facts(c)) {
            let serial = Value::serial(&facts.serial);
            if facts.precertificate {
                out.announced.insert(serial);
            } else {
                *out.certificates.entry(serial).or_default() += 1;
            }
        }
        let all = out.certificates.keys().chain(out.rows.keys());
        let decimal = all.chain(&out.announced).filter_map(Value::decimal_digits);
        out.decimal = decimal.fold(0, |all, digits| all | 1 << digits);
        out
    }

    /// Whether another spelling of a serial may be among these: some have as many digits as its decimal one.
    fn may_be_decimal(&self, serial: &Value) -> bool {
        let Some(digits) = serial.hexadecimal_digits() else {
            return true;
        };
        // A hexadecimal digit is 1.2041 decimal ones.
        let (least, most) = ((digits - 1) * 1204 / 1000 + 1, digits * 1205 / 1000 + 1);
        let possible = (least..=most).fold(0, |all, digits| all | 1u128 << digits);
        serial.decimal_digits().is_some()
            || most > u32::from(Value::DIGITS_MAX)
            || self.decimal & possible != 0
    }

    /// How many certificates have a serial that is written like this, in hexadecimal or in decimal.
    fn seen(&self, form: &str) -> usize {
        let values = [Some(Value::serial(form)), Value::of_decimal_serial(form)];
        let values = || values.iter().flatten();
        let real = values().filter_map(|v| self.certificates.get(v)).sum();
        match real {
            0 => usize::from(values().any(|v| self.announced.contains(v))),
            real => real,
        }
    }

    /// Whether the serial of a certificate, which a row gives alone, proves that the row means it.
    pub(super) fn prove(&self, world: &World<'_>, row: &Row<'_>, certificate: &Cert) -> bool {
        let Some(facts) = world.facts(certificate) else {
            return false;
        };
        let serial = Value::serial(&facts.serial);
        let once = || {
            if !self.may_be_decimal(&serial) {
                let seen = self.certificates.get(&serial).copied();
                let announced = || usize::from(self.announced.contains(&serial));
                return (seen.unwrap_or_else(announced), self.rows.get(&serial)) == (1, Some(&1));
            }
            let forms = serial_forms(&facts.serial);
            let seen = forms.iter().map(|form| self.seen(form)).max();
            let rows = forms.iter().map(|form| Value::serial(form));
            let rows: usize = rows.filter_map(|value| self.rows.get(&value)).sum();
            seen == Some(1) && rows == 1
        };
        serial_bits(&facts.serial) >= 64 && agrees(world, row, certificate, facts) && once()
    }
}

/// Whether a row's end of validity or its subject is the certificate's.
fn agrees(world: &World<'_>, row: &Row<'_>, certificate: &Cert, facts: &Certificate) -> bool {
    let date = match (row.entry.expires, facts.not_after) {
        (Some(expires), Some(not_after)) => dates::agree(expires, not_after),
        _ => false,
    };
    let subject = row.subject.filter(|_| !certificate.subject.is_blank());
    date || subject.is_some_and(|own| world.names.agree(own, certificate.subject))
}
