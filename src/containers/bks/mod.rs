//! Bouncy Castle's own keystores, as its provider's sources (`BcKeyStoreSpi`) describe them: BKS, whose certificates stand
//! in clear and whose keys are sealed one by one, and UBER, which is the same content encrypted as a whole.
//!
//! Neither has a magic number: version, length of the salt (always 20), salt and iteration count come first. What
//! follows tells the two apart.

mod entries;
mod layout;
mod sealed;

use crate::formats::wire::attempts::Attempts;
use crate::formats::wire::java;
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Closed, Clue, Encoding, EntryFacts, Fault, Found, GapReason, KeyMaterial,
    Kind, Protection, Reading,
};
use layout::{Body, Header, Item, Stop, What};

/// The largest store that is read.
const STORE_MAX: usize = 32 << 20;

const VERSION_1: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 20];
const VERSION_2: &[u8] = &[0, 0, 0, 2, 0, 0, 0, 20];
const SIGNATURES: &[Signature] = &[
    Signature::at_start(0, VERSION_1, Clue::Magic),
    Signature::at_start(0, VERSION_2, Clue::Magic),
];

/// BKS, versions 1 and 2.
pub struct Bks;

/// UBER.
pub struct Uber;

impl Format for Bks {
    fn name(&self) -> &'static str {
        "bks"
    }

    fn signatures(&self) -> &'static [Signature] {
        SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(store) = Bytes::of(candidate) else {
            return Reading::NotMine;
        };
        let Some(body) = Body::read(store.bytes, store.header.length) else {
            return Reading::NotMine;
        };
        if let Stop::Cut { needed } = body.stop
            && store.may_grow(needed)
        {
            return Reading::NeedMore { from: candidate.at };
        }
        let mut attempts = Attempts::new(&candidate.unlock);
        let mut keystore = keystore(self.name(), &store.header);
        keystore.notes.push(holds(&body.items).into());
        integrity(&store, &body, &mut attempts, &mut keystore);
        let mut found = Found::default();
        keystore.cipher = entries::read(
            self.name(),
            &body.items,
            &EntryFacts::default(),
            None,
            &mut attempts,
            &mut found,
        );
        stopped(&store, &body, &mut found);
        limited(attempts, "BKS", &mut found);
        found.artifacts.insert(0, keystore);
        Reading::Found(store.placed(found))
    }
}

impl Format for Uber {
    fn name(&self) -> &'static str {
        "uber"
    }

    fn signatures(&self) -> &'static [Signature] {
        SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(store) = Bytes::of(candidate) else {
            return Reading::NotMine;
        };
        let closed = store.bytes.get(store.header.length..).unwrap_or_default();
        if !store.header.is_random() || !layout::looks_random(closed) {
            return Reading::NotMine;
        }
        // Nothing but the end of the file tells where it ends.
        if store.may_grow(store.bytes.len() + 1) {
            return Reading::NeedMore { from: candidate.at };
        }
        let mut keystore = keystore(self.name(), &store.header);
        keystore.protection = Some(Protection::Encrypted);
        keystore.cipher = Some(format!(
            "PBEWithSHAAndTwofish-CBC, {} iterations",
            store.header.iterations
        ));
        let mut found = Found {
            end: store.bytes.len(),
            ..Found::default()
        };
        if !store.whole || closed.len() % 16 != 0 {
            let (reason, detail) = if store.whole {
                let detail = "UBER: ends within a block, or something follows";
                (GapReason::Truncated, detail.to_owned())
            } else {
                let detail = format!("UBER: larger than {} MiB", STORE_MAX >> 20);
                (GapReason::Limit, detail)
            };
            found.faults.push(Fault {
                reason,
                offset: 0,
                detail,
            });
            found.artifacts.push(keystore);
            return Reading::Found(store.placed(found));
        }
        let mut attempts = Attempts::new(&candidate.unlock);
        match attempts
            .first(|password, effort| sealed::open_store(&store.header, closed, password, effort))
        {
            Ok((open, opened)) => {
                keystore.opened = Some(opened);
                keystore
                    .notes
                    .push("integrity: SHA-1, inside the encryption".into());
                tell_opened(
                    &store.header,
                    &open,
                    opened,
                    &mut attempts,
                    &mut keystore,
                    &mut found,
                );
            }
            Err(closed) => {
                let why = match closed {
                    Closed::Unsupported(ref why) => format!("UBER: {why}"),
                    _ => "UBER: the whole store is encrypted under a password".to_owned(),
                };
                if !matches!(closed, Closed::Limit(_)) {
                    found.faults.push(Fault {
                        reason: GapReason::Encrypted,
                        offset: 0,
                        detail: why,
                    });
                }
            }
        }
        limited(attempts, "UBER", &mut found);
        found.artifacts.insert(0, keystore);
        Reading::Found(store.placed(found))
    }
}

/// Tells what stands inside an opened UBER: all of it at the place where the encrypted bytes begin.
fn tell_opened(
    header: &Header<'_>,
    open: &[u8],
    opened: crate::model::Opened,
    attempts: &mut Attempts<'_>,
    keystore: &mut Artifact,
    found: &mut Found,
) {
    let Some(body) = Body::read(open, 0) else {
        found.faults.push(Fault {
            reason: GapReason::Malformed,
            offset: header.length,
            detail: "UBER: what it opens to is no BKS".to_owned(),
        });
        return;
    };
    keystore.notes.push(holds(&body.items).into());
    let facts = EntryFacts {
        protection: Some(Protection::Encrypted),
        cipher: keystore.cipher.clone(),
        opened: Some(opened),
        ..EntryFacts::default()
    };
    entries::read(
        "uber",
        &body.items,
        &facts,
        Some(header.length),
        attempts,
        found,
    );
    if body.stop != Stop::Whole {
        found.faults.push(Fault {
            reason: GapReason::Malformed,
            offset: header.length,
            detail: "UBER: its entries do not fill it".to_owned(),
        });
    }
}

/// The bytes of a store that a candidate may be.
struct Bytes<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    at: usize,
    /// Whether the bytes reach to the end of the file.
    whole: bool,
}

impl<'a> Bytes<'a> {
    fn of(candidate: &Candidate<'a>) -> Option<Self> {
        let all = candidate.bytes.get(candidate.at..)?;
        let bytes = all.get(..STORE_MAX).unwrap_or(all);
        let begins = bytes.starts_with(VERSION_1) || bytes.starts_with(VERSION_2);
        Some(Self {
            bytes,
            header: Header::read(bytes).filter(|_| begins)?,
            at: candidate.at,
            whole: candidate.at_end && bytes.len() == all.len(),
        })
    }

    const fn may_grow(&self, needed: usize) -> bool {
        !self.whole && self.bytes.len() < STORE_MAX && needed <= STORE_MAX
    }

    /// With places in the candidate.
    fn placed(&self, mut found: Found) -> Found {
        for artifact in &mut found.artifacts {
            artifact.offset += self.at;
        }
        for nested in &mut found.nested {
            nested.offset += self.at;
        }
        for fault in &mut found.faults {
            fault.offset += self.at;
        }
        found.end += self.at;
        found
    }
}

fn keystore(name: &'static str, header: &Header<'_>) -> Artifact {
    let mut keystore = Artifact::new(Kind::Keystore, name, Encoding::Binary, KeyMaterial::None);
    let Header {
        version,
        salt,
        iterations,
        ..
    } = header;
    keystore.notes.push(format!("version {version}").into());
    keystore
        .notes
        .push(format!("salt of {} bytes, {iterations} iterations", salt.len()).into());
    keystore
}

/// Holds the store's HMAC against the passwords.
fn integrity(
    store: &Bytes<'_>,
    body: &Body<'_>,
    attempts: &mut Attempts<'_>,
    keystore: &mut Artifact,
) {
    keystore.notes.push(if store.header.version == 1 {
        "integrity: HMAC-SHA1 under a key of 16 bits only, which anybody can try out (CVE-2018-5382)".into()
    } else {
        "integrity: HMAC-SHA1".into()
    });
    let Some(mac) = body.digest else {
        return;
    };
    if attempts.is_empty() {
        return;
    }
    match attempts.first(|password, effort| {
        sealed::is_mac(&store.header, body.content, mac, password, effort)
    }) {
        // A key of 16 bits agrees with every 65,536th password: what opens is proven by the entries.
        Ok(((), opened)) => keystore.opened = Some(opened),
        Err(Closed::NoPassword) => keystore.notes.push(
            "the integrity code agrees with none of the passwords: the store's is another one, or it was changed".into(),
        ),
        Err(_) => {}
    }
}

/// Says how reading a body ended, and where the search goes on.
fn stopped(store: &Bytes<'_>, body: &Body<'_>, found: &mut Found) {
    found.end = body.end;
    let (reason, detail) = match body.stop {
        Stop::Whole => return,
        Stop::Malformed(what) => (GapReason::Malformed, format!("BKS: {what}")),
        Stop::Cut { .. } if store.whole => {
            found.end = store.bytes.len();
            (GapReason::Truncated, "BKS: ends within an entry".to_owned())
        }
        Stop::Cut { .. } => {
            found.end = store.bytes.len();
            let detail = format!("BKS: larger than {} MiB", STORE_MAX >> 20);
            (GapReason::Limit, detail)
        }
    };
    found.faults.push(Fault {
        reason,
        offset: body.end,
        detail,
    });
}

fn limited(attempts: Attempts<'_>, title: &str, found: &mut Found) {
    if let Some(why) = attempts.limit() {
        found.faults.push(Fault {
            reason: GapReason::Limit,
            offset: 0,
            detail: format!("{title}: {why}"),
        });
    }
}

/// What stands in a store, in words.
fn holds(items: &[Item<'_>]) -> String {
    let count = |is: fn(&What<'_>) -> bool| items.iter().filter(|item| is(&item.what)).count();
    java::holds(&[
        (
            count(|w| matches!(w, What::Sealed { chained: true, .. })),
            "private key",
        ),
        (
            count(|w| matches!(w, What::Sealed { chained: false, .. })),
            "sealed key without certificate",
        ),
        (count(|w| matches!(w, What::Clear(_))), "key in clear"),
        (
            count(|w| matches!(w, What::Foreign(_))),
            "key in a form of its own",
        ),
        (
            count(|w| matches!(w, What::Trusted(_))),
            "trusted certificate",
        ),
    ])
}
