//! A PostgreSQL table or query, over its protocol without TLS.
//!
//! One read-only transaction with a cursor: rows come in portions, so that memory is bounded, and a cursor takes nothing but
//! a query. All values come as text, whatever their type.

use super::Select;
use crate::inventory::InventoryError;
use crate::inventory::hush::quoted;
use crate::inventory::listed::Listed;
use crate::inventory::table::Table;
use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use std::time::Duration;

/// Rows that come at once.
const PORTION: usize = 5_000;
/// Longest time for one statement, in milliseconds.
const MAX_STATEMENT_MS: u32 = 120_000;

/// Whether an address names a PostgreSQL database.
pub(in crate::inventory) fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// Reads what is selected; gives the table and the server's time.
pub(in crate::inventory) fn read(
    name: &str,
    address: &str,
    select: &Select,
) -> Result<(Table, Option<jiff::Timestamp>), InventoryError> {
    let failed = |reason: String| InventoryError::Database {
        name: name.to_owned(),
        reason,
    };
    // The library's word on a faulty address would repeat its password.
    let mut config: Config = address
        .parse()
        .map_err(|_| failed("it is no address that is understood".to_owned()))?;
    if !stays_here(&config) && config.get_ssl_mode() != SslMode::Disable {
        return Err(failed(
            "TLS is not spoken, and the address leads to another host; add sslmode=disable to accept that the rows travel in clear"
                .to_owned(),
        ));
    }
    if config.get_ssl_mode() == SslMode::Require {
        return Err(failed("TLS is asked for and not spoken".to_owned()));
    }
    config
        .ssl_mode(SslMode::Disable)
        .application_name("keymuster")
        .connect_timeout(Duration::from_secs(30));
    if config.get_password().is_none()
        && let Ok(password) = std::env::var("PGPASSWORD")
    {
        config.password(password);
    }
    let statement = select
        .statement()
        .ok_or_else(|| failed("name a table or a query: …?table=NAME".to_owned()))?;
    let mut client = config.connect(NoTls).map_err(|e| failed(told(&e)))?;
    // Prepared first: that takes one statement alone, where a simple query would take several.
    client.prepare(&statement).map_err(|e| failed(told(&e)))?;
    client
        .batch_execute(&format!(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = {MAX_STATEMENT_MS}; SET LOCAL datestyle = 'ISO'; \
             SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL timezone = 'UTC'; SET LOCAL bytea_output = 'hex'"
        ))
        .map_err(|e| failed(told(&e)))?;
    let now = time(&mut client);
    client
        .batch_execute(&format!(
            "DECLARE inventory NO SCROLL CURSOR FOR {statement}"
        ))
        .map_err(|e| failed(told(&e)))?;
    let mut table = Listed::default();
    let mut at = 0u64;
    loop {
        let messages = client
            .simple_query(&format!("FETCH {PORTION} FROM inventory"))
            .map_err(|e| failed(told(&e)))?;
        let before = at;
        for message in messages {
            let SimpleQueryMessage::Row(row) = message else {
                continue;
            };
            at += 1;
            let cells = row
                .columns()
                .iter()
                .enumerate()
                .filter_map(|(index, column)| {
                    let text = row.try_get(index).ok()??;
                    // `\x…` is how bytes are shown.
                    let text = text.strip_prefix("\\x").unwrap_or(text);
                    Some((column.name().to_owned(), text.to_owned()))
                });
            table.push(name, at, cells)?;
        }
        if at == before {
            break;
        }
    }
    // Nothing was written; what becomes of the transaction does not matter.
    let _ = client.batch_execute("ROLLBACK");
    Ok((table.finish(), now))
}

/// Whether every host of an address is this one.
fn stays_here(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    }) && config
        .get_hostaddrs()
        .iter()
        .all(std::net::IpAddr::is_loopback)
}

fn time(client: &mut Client) -> Option<jiff::Timestamp> {
    let rows = client
        .simple_query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
        .ok()?;
    rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    })
}

/// What the server says: its message alone, as details repeat values.
fn told(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => quoted(&format!("{} ({})", error.message(), error.code().code())),
        None => quoted(&error.to_string()),
    }
}
