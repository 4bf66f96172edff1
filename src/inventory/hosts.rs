//! Asset lists: which hosts there are, and which of them should be swept. Any form that an inventory may have.

use super::content::{self, Content};
use super::heading::compact;
use super::source::{self, Loaded};
use super::words::is_nothing;
use super::{InventoryError, ReadOptions, cells};
use crate::model::host::machine_id_digest;
use crate::model::{HostList, ListedHost, Sha256Hex};
use std::collections::HashMap;
use std::path::Path;

/// What a column of an asset list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Aliases,
    Environment,
    Scope,
    Owner,
    MachineId,
}

/// Headers in compact form, the best name first: of several that fit, the first in this table is the name.
const HEADERS: &[(&str, Column)] = &[
    ("hostname", Column::Name),
    ("host", Column::Name),
    ("fqdn", Column::Name),
    ("server", Column::Name),
    ("servername", Column::Name),
    ("computername", Column::Name),
    ("devicename", Column::Name),
    ("machinename", Column::Name),
    ("nodename", Column::Name),
    ("node", Column::Name),
    ("name", Column::Name),
    ("assetname", Column::Name),
    ("asset", Column::Name),
    ("alias", Column::Aliases),
    ("aliases", Column::Aliases),
    ("altnames", Column::Aliases),
    ("alternativenames", Column::Aliases),
    ("othernames", Column::Aliases),
    ("formernames", Column::Aliases),
    ("cname", Column::Aliases),
    ("cnames", Column::Aliases),
    ("dnsname", Column::Aliases),
    ("dnsnames", Column::Aliases),
    ("shortname", Column::Aliases),
    ("environment", Column::Environment),
    ("env", Column::Environment),
    ("stage", Column::Environment),
    ("usedfor", Column::Environment),
    ("scope", Column::Scope),
    ("inscope", Column::Scope),
    ("insweepscope", Column::Scope),
    ("sweep", Column::Scope),
    ("status", Column::Scope),
    ("installstatus", Column::Scope),
    ("lifecyclestate", Column::Scope),
    ("owner", Column::Owner),
    ("ownedby", Column::Owner),
    ("owneremail", Column::Owner),
    ("responsible", Column::Owner),
    ("managedby", Column::Owner),
    ("team", Column::Owner),
    ("machineid", Column::MachineId),
    ("machineidsha256", Column::MachineId),
    ("machineiddigest", Column::MachineId),
];

/// Reads an asset list: a file, `sqlite:FILE?table=NAME` or `postgres://…?table=NAME`.
///
/// # Errors
/// If it cannot be read, or names no host.
pub fn read_hosts(path: &Path) -> Result<HostList, InventoryError> {
    // What the columns of such lists are called counts as known.
    let known = |(name, _): &(&str, Column)| ("extra".to_owned(), (*name).to_owned());
    let options = ReadOptions {
        map: HEADERS.iter().map(known).collect(),
        ..ReadOptions::default()
    };
    match source::load(path)? {
        Loaded::Bytes {
            name,
            bytes,
            select,
        } => {
            let content = content::read(&name, bytes, &select, &options)?;
            understand(&name, content)
        }
        Loaded::Table { name, content } => understand(&name, *content),
    }
}

fn understand(name: &str, content: Content) -> Result<HostList, InventoryError> {
    let table = content.table;
    let meanings: Vec<Option<(usize, Column)>> = table.headers.iter().map(|h| meaning(h)).collect();
    let is_name = |(_, c): &&(usize, Column)| *c == Column::Name;
    let best = meanings
        .iter()
        .flatten()
        .filter(is_name)
        .map(|(rank, _)| *rank)
        .min();
    let Some(best) = best else {
        return Err(InventoryError::Doubtful {
            name: name.to_owned(),
            reason: "no asset list: expected a column host, hostname, name, fqdn or server"
                .to_owned(),
        });
    };
    let mut list = HostList {
        name: name.to_owned(),
        faults: table
            .faults
            .iter()
            .map(|fault| format!("{}: {}", fault.source, fault.reason))
            .collect(),
        ..HostList::default()
    };
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for row in table.rows.iter() {
        let source = format!("{name}:{}", row.at);
        let mut host = ListedHost {
            in_scope: true,
            source: source.clone(),
            ..ListedHost::default()
        };
        for (column, cell) in row.cells.iter() {
            let Some((rank, column)) = meanings.get(column).copied().flatten() else {
                continue;
            };
            if is_nothing(cell) {
                continue;
            }
            match column {
                Column::Name if host.name.is_empty() && rank == best => host.name = host_name(cell),
                // A further column of names: the short one beside the full one.
                Column::Name | Column::Aliases => {
                    host.aliases.extend(cells::list(cell, true).iter().map(|n| host_name(n)));
                }
                Column::Environment => host.environment = Some(cell.to_owned()),
                Column::Owner => host.owner = host.owner.or_else(|| Some(cell.to_owned())),
                Column::MachineId => match machine_id(cell) {
                    None => list.faults.push(format!(
                        "{source}: no machine id; expected 32 hexadecimal digits, or 64 of a sweep's digest"
                    )),
                    id => host.machine_id = id,
                },
                Column::Scope => match in_scope(cell) {
                    Some(scope) => host.in_scope &= scope,
                    None => list.faults.push(format!(
                        "{source}: the scope is none of the words that are known, such as yes, no, active or retired; the host counts as in scope"
                    )),
                },
            }
        }
        // Where the best column is empty, another name will do.
        if host.name.is_empty() && !host.aliases.is_empty() {
            host.name = host.aliases.remove(0);
        }
        if host.name.is_empty() {
            list.faults.push(format!("{source}: a row without a host"));
            continue;
        }
        match by_name
            .get(&host.name)
            .and_then(|at| list.hosts.get_mut(*at))
        {
            Some(first) => {
                list.faults.push(format!(
                    "{source}: host {} stands in {} too; the rows count as one",
                    host.name, first.source
                ));
                first.aliases.append(&mut host.aliases);
                first.in_scope |= host.in_scope;
                first.environment = first.environment.take().or(host.environment);
                first.owner = first.owner.take().or(host.owner);
                first.machine_id = first.machine_id.or(host.machine_id);
            }
            None => {
                by_name.insert(host.name.clone(), list.hosts.len());
                list.hosts.push(host);
            }
        }
    }
    if list.hosts.is_empty() {
        return Err(InventoryError::NoRows {
            name: name.to_owned(),
        });
    }
    Ok(list)
}

/// What a header means, with its place in the table; of a nested one its last part may say it.
fn meaning(header: &str) -> Option<(usize, Column)> {
    let find = |text: &str| {
        let word = compact(text);
        let at = HEADERS.iter().position(|(name, _)| *name == word)?;
        HEADERS.get(at).map(|(_, column)| (at, *column))
    };
    find(header).or_else(|| find(header.rsplit(['.', '/']).next()?))
}

fn host_name(cell: &str) -> String {
    cell.trim().trim_end_matches('.').to_lowercase()
}

/// A raw machine id, which is hashed at once, or the digest that a sweep tells.
fn machine_id(cell: &str) -> Option<Sha256Hex> {
    machine_id_digest(cell).or_else(|| cell.trim().to_ascii_lowercase().parse().ok())
}

/// Whether a word means that a host must be swept.
fn in_scope(cell: &str) -> Option<bool> {
    Some(match compact(cell).as_str() {
        "yes" | "y" | "true" | "1" | "x" | "in" | "inscope" | "active" | "live" | "installed"
        | "inuse" | "operational" | "production" | "running" | "required" | "full" | "all"
        | "up" | "on" | "enabled" | "deployed" => true,
        "no" | "n" | "false" | "0" | "out" | "outofscope" | "excluded" | "exclude" | "exempt"
        | "inactive" | "retired" | "decommissioned" | "disposed" | "absent" | "stolen"
        | "removed" | "deleted" | "off" | "disabled" | "down" | "planned" | "onorder"
        | "instock" | "none" => false,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> HostList {
        try_read(text).unwrap()
    }

    fn try_read(text: &str) -> Result<HostList, InventoryError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hosts");
        std::fs::write(&path, text).unwrap();
        read_hosts(&path)
    }

    #[test]
    fn columns_are_understood_by_their_headers() {
        let list = read(
            "Host Name;Aliases;Env;In scope;Owner;Machine ID\n\
             WEB01.example.com.;www, shop;prod;yes;Ann;0123456789abcdef0123456789abcdef\n\
             db01;;;no;;\n",
        );
        let [web, db] = &list.hosts[..] else {
            panic!("{list:?}")
        };
        assert_eq!(web.name, "web01.example.com");
        assert_eq!(web.aliases, ["www", "shop"]);
        assert_eq!(web.environment.as_deref(), Some("prod"));
        assert_eq!(web.owner.as_deref(), Some("Ann"));
        assert_eq!(web.source, "hosts:2");
        assert!(web.in_scope && !db.in_scope);
        assert_eq!(
            web.machine_id,
            machine_id_digest("0123456789abcdef0123456789abcdef")
        );
        assert!(list.faults.is_empty(), "{:?}", list.faults);
        assert!(!format!("{list:?}").contains("0123456789abcdef0123456789abcdef"));
    }

    #[test]
    fn a_bare_list_and_json_will_do() {
        assert_eq!(read("hostname\nweb01\nweb02\n").hosts.len(), 2);
        let list =
            read(r#"[{"name": "a", "fqdn": "a.example.com", "status": "Retired"}, {"name": "b"}]"#);
        let names: Vec<_> = list
            .hosts
            .iter()
            .map(|h| (h.name.as_str(), h.in_scope))
            .collect();
        assert_eq!(names, [("a.example.com", false), ("b", true)]);
        assert_eq!(list.hosts[0].aliases, ["a"]);
    }

    #[test]
    fn doubts_are_told_and_never_make_a_host_vanish() {
        let list = read("host,scope,machine id\nweb01,perhaps,xyz\nWEB01,no,\n,yes,\n");
        assert_eq!(list.hosts.len(), 1);
        assert!(list.hosts[0].in_scope);
        assert_eq!(list.faults.len(), 4, "{:?}", list.faults);
        assert!(!list.faults.join(" ").contains("xyz"));
    }

    #[test]
    fn what_is_no_list_of_hosts_is_refused() {
        assert!(try_read("owner,state\nann,active\n").is_err());
        assert!(try_read("host,scope\n").is_err());
        assert!(try_read("").is_err());
    }
}
