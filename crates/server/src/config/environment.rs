//! Which environment variables are settings.

use std::{collections::BTreeMap, fs};

use super::{Mistake, Source, nearest};

/// Names that the integration guide and hosting platforms use. Of two for one setting the later wins; the `AICT_…` name
/// of a setting wins over both.
const ALIASES: [(&str, &str); 8] = [
    ("JWT_SECRET", "auth.jwt_secret"),
    ("ENCRYPTION_KEY", "auth.encryption_key"),
    ("MONGODB_URI", "store.uri"),
    ("HOST", "server.host"),
    ("PORT", "server.port"),
    ("ALLOW_SIGNUP", "auth.allow_signup"),
    ("RUST_LOG", "log.level"),
    ("LOG_LEVEL", "log.level"),
];
/// Begin with `AICT_` but are not settings of the server: which file to read, and what the command-line client uses.
const OTHERS: [&str; 2] = ["AICT_CONFIG", "AICT_API_KEY"];
const PREFIX: &str = "AICT_";
/// Settings that may be in a file of their own (`JWT_SECRET_FILE`), as Docker and Kubernetes hand out secrets.
const SECRETS: [&str; 5] =
    ["auth.jwt_secret", "auth.encryption_key", "auth.previous_encryption_key", "store.uri", "smtp.password"];

/// The variables of this process. A value that is not UTF-8 is kept with `U+FFFD` in it, which no setting accepts.
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

/// The variable that sets `key`: `AICT_SERVER__PORT` for `server.port`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

pub(super) fn is_secret(key: &str) -> bool {
    SECRETS.contains(&key)
}

/// What the environment sets.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Key, text, and name of the variable, in the order in which they apply.
    pub(super) settings: Vec<(String, String, String)>,
    pub(super) mistakes: Vec<Mistake>,
}

/// Finds the settings with these keys among the variables. An empty variable counts as one that is not set.
pub(super) fn read(variables: &BTreeMap<String, String>, keys: &[String]) -> Read {
    let aliases = ALIASES.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned()));
    let own = keys.iter().map(|key| (variable_of(key), key.clone()));
    let names: Vec<(String, String)> = aliases.chain(own).collect();
    let mut read = Read::default();
    for (name, key) in &names {
        match find(variables, name, key) {
            Ok(Some((text, name))) => read.settings.push((key.clone(), text, name)),
            Ok(None) => {}
            Err(mistake) => read.mistakes.push(mistake),
        }
    }
    read.mistakes.extend(unknown(variables, &names));
    if is_set(variables, "CLICKHOUSE_URL") {
        let message =
            "is set, but this build does not support ClickHouse yet; unset it to use the embedded store";
        read.mistakes.push(mistake("CLICKHOUSE_URL", message.to_owned()));
    }
    read
}

/// The text of one variable, or of the file that its `…_FILE` twin names, and which of the two it was.
fn find(
    variables: &BTreeMap<String, String>,
    name: &str,
    key: &str,
) -> Result<Option<(String, String)>, Mistake> {
    let value = variables.get(name).filter(|text| !text.is_empty());
    let twin = format!("{name}_FILE");
    let Some(path) = variables.get(&twin).filter(|path| is_secret(key) && !path.is_empty()) else {
        return Ok(value.map(|text| (text.clone(), name.to_owned())));
    };
    if value.is_some() {
        return Err(mistake(&twin, format!("and {name} are both set; unset one of them")));
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((text.trim_end_matches(['\r', '\n']).to_owned(), twin))),
        Err(error) => Err(mistake(&twin, format!("names {path}, which cannot be read: {error}"))),
    }
}

/// Variables that look like settings but are none: most likely mistyped.
fn unknown(variables: &BTreeMap<String, String>, names: &[(String, String)]) -> Vec<Mistake> {
    let is_known = |given: &str| {
        OTHERS.contains(&given)
            || names.iter().any(|(name, key)| {
                name == given || (is_secret(key) && given.strip_suffix("_FILE") == Some(name.as_str()))
            })
    };
    let describe = |given: &str| {
        let hint = nearest::find(given, names.iter().map(|(name, _)| name.as_str()).chain(OTHERS));
        let hint = hint.map_or_else(|| "unset it".to_owned(), |name| format!("did you mean {name}?"));
        mistake(given, format!("is not a setting; {hint}"))
    };
    variables
        .keys()
        .filter(|name| name.starts_with(PREFIX) && !is_known(name))
        .map(|name| describe(name))
        .collect()
}

fn is_set(variables: &BTreeMap<String, String>, name: &str) -> bool {
    variables.get(name).is_some_and(|text| !text.is_empty())
}

fn mistake(name: &str, message: String) -> Mistake {
    Mistake { source: Source::Variable(name.to_owned()), key: String::new(), message }
}
