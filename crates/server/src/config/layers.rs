//! Merges the sources of settings and remembers which one made each.

use std::{collections::BTreeMap, fs, path::Path};

use toml::{Table, Value};

use super::{Config, ConfigError, DEFAULTS, Mistake, Source, environment, gateway, nearest, range};

/// Settings by dotted key, so that laying one source over another is inserting.
#[derive(Debug)]
pub(super) struct Layers {
    settings: BTreeMap<String, (Value, Source)>,
    mistakes: Vec<Mistake>,
}

impl Layers {
    pub(super) fn of_defaults() -> Self {
        let Ok(defaults) = DEFAULTS.parse::<Table>() else { unreachable!("tests load the defaults") };
        let settings = flatten(defaults).into_iter().map(|(key, value)| (key, (value, Source::Defaults)));
        Self { settings: settings.collect(), mistakes: Vec::new() }
    }

    /// Lays the file at `path` over the settings; `named_by` asked for it.
    pub(super) fn add_file(&mut self, path: &Path, named_by: &Source) {
        let source = Source::File(path.to_owned());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot be read: {error} (it was named by {named_by})");
                return self.refuse(source, "", message);
            }
        };
        match text.parse::<Table>() {
            Ok(table) => {
                for (key, value) in flatten(table) {
                    self.set(&key, value, source.clone());
                }
            }
            // The error's own rendering quotes the line, which may hold a secret.
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                self.refuse(source, "", format!("is not TOML at line {line}: {}", error.message()));
            }
        }
    }

    /// Lays the environment over the settings.
    pub(super) fn add_environment(&mut self, variables: &BTreeMap<String, String>) {
        let mut keys: Vec<String> = self.settings.keys().cloned().collect();
        keys.extend(gateway::keys_among(variables));
        let read = environment::read(variables, &keys);
        for (key, text, name) in read.settings {
            self.set_text(&key, &text, Source::Variable(name));
        }
        self.mistakes.extend(read.mistakes);
    }

    /// Lays the command line over the settings.
    pub(super) fn add_flags(&mut self, flags: &[(String, String)]) {
        for (key, text) in flags {
            self.set_text(key, text, Source::Flag);
        }
    }

    /// The merged settings, if they are all right. A value that cannot be used gives way to the default, so that what else
    /// is wrong is told with it.
    pub(super) fn into_config(self) -> Result<Config, ConfigError> {
        let defaults = Self::of_defaults().settings;
        let Self { mut settings, mut mistakes } = self;
        let mistake = |source: Option<Source>, key: &str, message: String| Mistake {
            source: source.unwrap_or(Source::Defaults),
            key: key.to_owned(),
            message,
        };
        loop {
            let table = nest(settings.iter().map(|(key, (value, _))| (key.as_str(), value.clone())));
            let error = match serde_path_to_error::deserialize::<_, Config>(Value::Table(table)) {
                Ok(config) => {
                    for (key, message) in range::check(&config) {
                        let source = settings.get(key).map(|(_, source)| source.clone());
                        mistakes.push(mistake(source, key, message));
                    }
                    return if mistakes.is_empty() { Ok(config) } else { Err(ConfigError(mistakes)) };
                }
                Err(error) => error,
            };
            let path = error.path().to_string();
            let key = path.split('[').next().unwrap_or_default();
            let refused = settings.remove(key);
            let was_put_aside = refused.is_some();
            mistakes.push(mistake(refused.map(|(_, source)| source), key, describe(key, error.inner())));
            if !was_put_aside {
                return Err(ConfigError(mistakes));
            }
            settings.extend(defaults.get(key).map(|default| (key.to_owned(), default.clone())));
        }
    }

    fn set(&mut self, key: &str, value: Value, source: Source) {
        let is_section = |known: &String| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        if let Some(setting) = self.settings.get_mut(key) {
            *setting = (value, source);
        } else if gateway::is_provider_setting(key) {
            self.settings.insert(key.to_owned(), (value, source));
        } else if self.settings.keys().any(is_section) {
            // An empty section changes nothing.
            if !value.is_table() {
                self.refuse(source, key, format!("is a section; write [{key}] and its settings below"));
            }
        } else {
            let nearest = nearest::find(key, self.settings.keys().map(String::as_str));
            let hint = nearest.map_or_else(
                || "docs/reference/configuration.md lists all".to_owned(),
                |nearest| format!("did you mean {nearest}?"),
            );
            self.refuse(source, key, format!("is not a setting; {hint}"));
        }
    }

    /// As [`Self::set`], from text that is read as the type of the setting.
    fn set_text(&mut self, key: &str, text: &str, source: Source) {
        let value = match self.settings.get(key) {
            Some((current, _)) => read_as(current, text),
            None if gateway::is_switch(key) => read_as(&Value::Boolean(true), text),
            None => Ok(Value::from(text)),
        };
        match value {
            Ok(value) => self.set(key, value, source),
            Err(message) => self.refuse(source, key, message),
        }
    }

    fn refuse(&mut self, source: Source, key: &str, message: String) {
        self.mistakes.push(Mistake { source, key: key.to_owned(), message });
    }
}

/// `text` as a value of the same type as `example`.
fn read_as(example: &Value, text: &str) -> Result<Value, String> {
    match example {
        Value::Integer(_) => text
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| format!("must be a whole number, not {text:?}")),
        Value::Boolean(_) => match text.trim() {
            "true" | "1" => Ok(Value::Boolean(true)),
            "false" | "0" => Ok(Value::Boolean(false)),
            _ => Err(format!("must be true or false, not {text:?}")),
        },
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(Value::from).collect()))
        }
        Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => Ok(Value::from(text)),
    }
}

/// What is wrong with the value of `key`. A secret that is a number must not be repeated.
fn describe(key: &str, error: &toml::de::Error) -> String {
    if environment::is_secret(key) && error.message().starts_with("invalid type") {
        return "must be text in quotes".to_owned();
    }
    error.message().to_owned()
}

/// The values of a table by dotted key; empty tables stay.
fn flatten(table: Table) -> Vec<(String, Value)> {
    let mut settings = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                settings
                    .extend(flatten(inner).into_iter().map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => settings.push((key, value)),
        }
    }
    settings
}

/// The reverse of [`flatten`].
fn nest<'a>(settings: impl Iterator<Item = (&'a str, Value)>) -> Table {
    let mut root = Table::new();
    for (key, value) in settings {
        let (sections, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut root;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else {
                unreachable!("known keys are not sections of each other")
            };
            table = inner;
        }
        table.insert(name.to_owned(), value);
    }
    root
}
