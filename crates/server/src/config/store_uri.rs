//! Which store is used.

use std::path::PathBuf;

use serde::Deserialize;

/// Where records are kept. Another scheme is refused without repeating the address, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUri {
    /// The embedded SQLite database in the data folder.
    Embedded,
    /// The embedded SQLite database in this file.
    Sqlite(PathBuf),
}

impl TryFrom<String> for StoreUri {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::Embedded);
        }
        let (scheme, rest) = text.split_once(':').unwrap_or(("", &text));
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "sqlite" => sqlite_path(rest).map(Self::Sqlite),
            "mongodb" | "mongodb+srv" => Err(unsupported("MongoDB", "MONGODB_URI")),
            "clickhouse" | "http" | "https" => Err(unsupported("ClickHouse", "it")),
            "postgres" | "postgresql" => Err(unsupported("PostgreSQL", "it")),
            "mysql" | "mariadb" => Err(unsupported("MySQL", "it")),
            _ => Err("must be empty for the embedded store, or sqlite: and the path of a file".to_owned()),
        }
    }
}

fn unsupported(store: &str, variable: &str) -> String {
    format!(
        "asks for {store}, but this build does not support {store} yet; unset {variable} to use the embedded store"
    )
}

/// The path in `sqlite:path`; `sqlite:///path`, as other tools write it, is the same as `sqlite:/path`.
fn sqlite_path(rest: &str) -> Result<PathBuf, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(":memory:") || path.contains('?') {
        return Err("must be sqlite: and the path of a file, without parameters".to_owned());
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreUri, String> {
        StoreUri::try_from(text.to_owned())
    }

    #[test]
    fn the_embedded_store_needs_no_address() {
        assert_eq!(parse(""), Ok(StoreUri::Embedded));
        for (text, path) in [
            ("sqlite:costs.db", "costs.db"),
            ("sqlite:/var/lib/costs.db", "/var/lib/costs.db"),
            ("sqlite:///var/lib/costs.db", "/var/lib/costs.db"),
            ("SQLITE:costs.db", "costs.db"),
        ] {
            assert_eq!(parse(text), Ok(StoreUri::Sqlite(path.into())), "{text}");
        }
    }

    #[test]
    fn other_stores_are_refused_by_name_and_without_their_password() {
        for (text, named) in [
            ("mongodb://ada:hush@localhost:27017/ai-cost-tracker", "MongoDB"),
            ("mongodb+srv://ada:hush@cluster.example.com", "MongoDB"),
            ("clickhouse://ada:hush@localhost", "ClickHouse"),
            ("postgres://ada:hush@localhost", "PostgreSQL"),
            ("redis://ada:hush@localhost", "sqlite:"),
            ("hush", "sqlite:"),
            ("sqlite::memory:", "sqlite:"),
            ("sqlite:", "sqlite:"),
            ("sqlite:costs.db?mode=rwc", "sqlite:"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(named) && !message.contains("hush"), "{text}: {message}");
        }
    }
}
