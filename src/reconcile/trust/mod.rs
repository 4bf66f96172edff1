//! SSH trust: which key opens which account on which host, grants that nobody's key fits, and names in `known_hosts`
//! that a swept host contradicts.

mod graph;
mod known;
mod options;
mod orphan;

pub(super) use graph::Trust;
pub(super) use known::{contradictions, is_host_key};
pub(super) use orphan::judge as orphan;

use crate::model::{Kind, Sighting};
use options::Options;

/// Whether a sighting is a grant that could let somebody in: a line that only says no is none.
pub(super) fn is_grant(s: &Sighting) -> bool {
    s.kind == Kind::AuthorizedKey && !is_disabled(s)
}

/// Whether a sighting is a line of grants that lets nobody in.
pub(super) fn is_disabled(s: &Sighting) -> bool {
    let options = || s.ssh.as_ref().and_then(|ssh| ssh.options.as_deref());
    s.kind == Kind::AuthorizedKey && options().is_some_and(Options::disable)
}
