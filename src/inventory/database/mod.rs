//! Inventories in databases: a table, or what a query gives.

pub(super) mod postgres;
pub(super) mod sqlite;

/// What of a database is the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Select {
    /// All rows of a table or view; its schema may stand before a dot.
    Table(String),
    /// The rows that a query gives.
    Query(String),
    /// The one table that there is.
    Only,
}

impl Select {
    /// What rows are cited by.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Table(table) => table,
            Self::Query(_) => "query",
            Self::Only => "table",
        }
    }

    /// The statement, with the names of a table quoted.
    fn statement(&self) -> Option<String> {
        match self {
            Self::Table(table) => {
                let names: Vec<String> = table
                    .split('.')
                    .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
                    .collect();
                Some(format!("SELECT * FROM {}", names.join(".")))
            }
            Self::Query(query) => Some(query.trim().trim_end_matches(';').to_owned()),
            Self::Only => None,
        }
    }
}

/// Splits `table=…` or `query=…` off an address; gives the rest as it is.
pub(super) fn split(address: &str) -> Result<(String, Select), &'static str> {
    let Some((base, parameters)) = address.split_once('?') else {
        return Ok((address.to_owned(), Select::Only));
    };
    let mut select = Select::Only;
    let mut kept = Vec::new();
    for parameter in parameters.split('&') {
        let wanted = match parameter.split_once('=') {
            Some(("table", value)) => Select::Table(decoded(value)?),
            Some(("query", value)) => Select::Query(decoded(value)?),
            _ => {
                kept.push(parameter);
                continue;
            }
        };
        if select != Select::Only {
            return Err("name one table or one query");
        }
        select = wanted;
    }
    let rest = if kept.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", kept.join("&"))
    };
    Ok((rest, select))
}

/// `%20` and `+` in a parameter (as in an HTML form).
fn decoded(value: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(b'x'), rest.next().unwrap_or(b'x')];
                let text = std::str::from_utf8(&digits).unwrap_or("x");
                let byte = u8::from_str_radix(text, 16);
                bytes.push(byte.map_err(|_| "`%` is followed by no two hexadecimal digits")?);
            }
            other => bytes.push(other),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "a parameter is no UTF-8")?;
    if text.trim().is_empty() || text.contains('\0') {
        return Err("a parameter is empty");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_table_or_a_query() {
        let table = |t: &str| Select::Table(t.to_owned());
        for (address, rest, select) in [
            ("keys.db", "keys.db", Select::Only),
            ("keys.db?table=keys", "keys.db", table("keys")),
            (
                "postgres://u@h/db?sslmode=disable&table=pki.keys",
                "postgres://u@h/db?sslmode=disable",
                table("pki.keys"),
            ),
            (
                "a?query=select+1%2B1",
                "a",
                Select::Query("select 1+1".to_owned()),
            ),
        ] {
            assert_eq!(split(address), Ok((rest.to_owned(), select)), "{address}");
        }
        assert!(split("a?table=b&query=c").is_err());
        assert!(split("a?table=%zz").is_err());
        assert!(split("a?table=").is_err());
    }

    #[test]
    fn names_of_tables_are_quoted() {
        let statement = Select::Table("pki.o\"dd; DROP".into()).statement();
        assert_eq!(
            statement.as_deref(),
            Some("SELECT * FROM \"pki\".\"o\"\"dd; DROP\"")
        );
    }
}
