//! DSA private keys as OpenSSL has always written them: version, p, q, g, y, x.

use super::Format;
use super::wire::der::{self, Element};
use super::wire::labels;
use crate::model::{Artifact, Candidate, Clue, KeyMaterial, Kind, Protection, Reading};

/// One DSA private key.
pub struct Dsa;

const LABELS: &[&str] = &["DSA PRIVATE KEY"];

impl Format for Dsa {
    fn name(&self) -> &'static str {
        "dsa"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(key) = labels::object(candidate)
            .and_then(|element| public_half(&element, !labels::is_labelled(candidate)))
        else {
            return Reading::NotMine;
        };
        let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), candidate.encoding, key);
        artifact.protection = Some(Protection::None);
        labels::found(candidate, LABELS, artifact)
    }
}

fn public_half(element: &Element<'_>, strict: bool) -> Option<KeyMaterial> {
    let mut fields = element.enter(der::SEQUENCE).ok()?;
    if fields.expect(der::INTEGER).ok()?.small().ok()? != 0 {
        return None;
    }
    let mut number = || fields.expect(der::INTEGER).ok()?.unsigned().ok();
    let (p, q, g, y, x) = (number()?, number()?, number()?, number()?, number()?);
    fields.finish().ok()?;
    let odd = |number: &[u8]| number.last().is_some_and(|b| b & 1 == 1);
    let below = |a: &[u8], b: &[u8]| a.len() < b.len() || (a.len() == b.len() && a < b);
    let plausible = (64..=8192).contains(&p.len())
        && (16..=64).contains(&q.len())
        && odd(p)
        && odd(q)
        && below(g, p)
        && below(y, p)
        && below(x, q)
        && !g.is_empty()
        && !y.is_empty()
        && !x.is_empty();
    (plausible || !strict).then(|| KeyMaterial::Dsa {
        p: p.to_vec(),
        q: q.to_vec(),
        g: g.to_vec(),
        y: y.to_vec(),
    })
}
