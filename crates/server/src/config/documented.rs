//! The defaults as documentation.

use super::{Config, DEFAULTS, environment};

/// A setting as `config.default.toml` documents it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Dotted key, e.g. `server.port`.
    pub key: String,
    /// Default, as TOML.
    pub default: String,
    /// What it means.
    pub comment: String,
}

impl Setting {
    /// The environment variable that sets it, e.g. `AICT_SERVER__PORT`.
    pub fn variable(&self) -> String {
        environment::variable_of(&self.key)
    }
}

impl Config {
    /// Every setting, in the order of the file.
    pub fn documented_keys() -> Vec<Setting> {
        let (mut settings, mut section, mut comment) = (Vec::new(), "", Vec::new());
        for line in DEFAULTS.lines() {
            if let Some(text) = line.strip_prefix('#') {
                comment.push(text.trim());
            } else if let Some((key, default)) = line.split_once(" = ") {
                settings.push(Setting {
                    key: format!("{section}.{key}"),
                    default: default.to_owned(),
                    comment: std::mem::take(&mut comment).join(" "),
                });
            } else {
                section = line.trim_matches(['[', ']']);
                comment.clear();
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_explained() {
        let settings = Config::documented_keys();
        let port = settings.iter().find(|setting| setting.key == "server.port").unwrap();
        assert_eq!((port.default.as_str(), port.variable().as_str()), ("8000", "AICT_SERVER__PORT"));
        assert!(settings.iter().any(|setting| setting.key == "auth.argon2.memory_kib"));
        for Setting { key, comment, .. } in &settings {
            assert!(comment.len() > 5, "{key} has no comment");
        }
    }

    #[test]
    fn the_reference_lists_every_setting_with_its_default() {
        let page = include_str!("../../../../docs/reference/configuration.md");
        for setting in Config::documented_keys() {
            let Setting { key, default, .. } = &setting;
            let start = format!("| `{key}` | `{}` | `{default}` |", setting.variable());
            assert!(page.contains(&start), "docs/reference/configuration.md lacks {start}");
        }
    }
}
