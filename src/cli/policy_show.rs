//! `keymuster policy show`: the policy in force, with the origin of each value.

use super::args::ShowArgs;
use super::output::Target;
use crate::policy::{self, Policy};
use std::path::Path;

/// Prints it; gives the exit code.
pub fn run(args: &ShowArgs) -> anyhow::Result<u8> {
    let policy = load(args.policy.as_deref())?;
    let output = Target::open(&args.output)?;
    output.commit(|out| {
        let mut out = out;
        policy::show(&policy, &mut out)
    })?;
    Ok(0)
}

/// The policy that a file names, else the one built in.
pub(super) fn load(path: Option<&Path>) -> anyhow::Result<Policy> {
    Ok(match path {
        Some(path) => policy::read_policy(path)?,
        None => Policy::built_in(),
    })
}
