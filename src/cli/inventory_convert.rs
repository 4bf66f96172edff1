//! `keymuster inventory convert`: exports in columns of our own.

use super::args::{ConvertArgs, ConvertForm, Format, OutputArgs};
use super::judge;
use super::messages::Messages;
use super::output::Target;
use crate::inventory::{self, Form};
use crate::report::escape::escape;

/// Converts exports; gives the exit code.
pub fn run(args: &ConvertArgs) -> anyhow::Result<u8> {
    let messages = Messages::new(&OutputArgs {
        format: Format::Text,
        output: args.output.clone(),
        quiet: args.quiet,
        verbose: false,
    });
    let target = Target::open(&args.output)?;
    let options = judge::read_options(&args.reading, args.allow_partial_inventory)?;
    let mut inventories = args
        .inventories
        .iter()
        .map(|path| Ok(inventory::read(path, &options)?))
        .collect::<anyhow::Result<Vec<_>>>()?;
    inventory::merge(&mut inventories);
    let form = match args.to {
        ConvertForm::Csv => Form::Csv,
        ConvertForm::Xlsx => Form::Xlsx,
        ConvertForm::Json => Form::Json,
        ConvertForm::Jsonl => Form::JsonLines,
        ConvertForm::Yaml => Form::Yaml,
        ConvertForm::Cbom16 => Form::Cbom16,
        ConvertForm::Cbom17 => Form::Cbom17,
    };
    let converted = inventory::convert(&inventories, form, &super::tool())?;
    let lost: u64 = inventories
        .iter()
        .map(|i| i.rows.saturating_sub(i.entries.len() as u64))
        .sum();
    if lost > 0 {
        messages.tell(&format!(
            "rows left out, as they could not be read: {lost}; `keymuster inventory check` names them"
        ));
    }
    if !converted.left_out.is_empty() {
        messages.tell(&escape(&format!(
            "columns left out, as their meaning is not known: {}",
            converted.left_out.join(", ")
        )));
    }
    target.commit(|out| out.write_all(&converted.bytes))?;
    Ok(0)
}
