use super::*;

const STRONG: &str = "kX2mTt0kq0dVJcOe2nQ3o8yJ8o2h0bqVh9yZc3mF1aE=";

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn variables(variables: &[(&str, &str)]) -> Sources {
    Sources { environment: pairs(variables).into_iter().collect(), ..Sources::default() }
}

/// Sources with a file of this content, which lives as long as the folder.
fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Sources { file: Some(path), ..Sources::default() })
}

#[track_caller]
fn refused(sources: &Sources, expected: &str) {
    let error = Config::load(sources).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn the_defaults_are_a_configuration() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!((config.server.host.as_str(), config.server.port), ("127.0.0.1", 8000));
    assert_eq!(config.store.sqlite_path(), PathBuf::from("./data/ai-cost-tracker.db"));
    assert_eq!(config.server.public_url, None);
    assert_eq!(config.auth.jwt_secret, None);
    assert!(!config.auth.allow_signup);
    assert_eq!(config.auth.argon2, Argon2Cost { memory_kib: 19456, iterations: 2, parallelism: 1 });
}

#[test]
fn a_later_source_overrides_an_earlier_one() {
    let (_folder, mut sources) = file("[server]\nport = 1\nhost = \"::1\"\nshutdown_timeout_ms = 1\n");
    let port = |sources: &Sources| Config::load(sources).unwrap().server.port;
    assert_eq!(port(&sources), 1);
    sources.environment.insert("PORT".to_owned(), "2".to_owned());
    assert_eq!(port(&sources), 2);
    sources.environment.insert("AICT_SERVER__PORT".to_owned(), "3".to_owned());
    assert_eq!(port(&sources), 3);
    sources.flags = pairs(&[("server.port", "4")]);
    assert_eq!(port(&sources), 4);
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.server.host.as_str(), config.server.request_timeout_ms), ("::1", 30_000));
}

#[test]
fn every_setting_can_be_set_by_its_variable() {
    for setting in Config::documented_keys() {
        let value = match setting.key.as_str() {
            "server.public_url" => "https://costs.example.com".to_owned(),
            "server.cors_origins" => "http://localhost:3000, https://a.example".to_owned(),
            "server.trusted_proxies" => "10.0.0.0/8,::1".to_owned(),
            "store.uri" => "sqlite:other.db".to_owned(),
            key if environment::is_secret(key) => STRONG.to_owned(),
            _ => setting.default.trim_matches('"').to_owned(),
        };
        let config = Config::load(&variables(&[(&setting.variable(), &value)]));
        assert!(config.is_ok(), "{}: {config:?}", setting.key);
    }
    let config = Config::load(&variables(&[(
        "AICT_SERVER__CORS_ORIGINS",
        "http://localhost:3000, https://a.example",
    )]));
    let origins: Vec<String> =
        config.unwrap().server.cors_origins.iter().map(|origin| origin.as_str().to_owned()).collect();
    assert_eq!(origins, ["http://localhost:3000", "https://a.example"]);
}

#[test]
fn the_guide_s_variables_are_read() {
    let config = Config::load(&variables(&[
        ("JWT_SECRET", STRONG),
        ("ENCRYPTION_KEY", "9f86d081884c7d659a2feaa0c55ad015"),
        ("MONGODB_URI", ""),
        ("ALLOW_SIGNUP", "true"),
        ("HOST", "0.0.0.0"),
        ("RUST_LOG", "debug"),
        ("LOG_LEVEL", "warn"),
        ("PATH", "/usr/bin"),
        ("AICT_API_KEY", "aict_x"),
    ]))
    .unwrap();
    assert_eq!(config.auth.jwt_secret, Some(Secret::new(STRONG)));
    assert!(config.auth.allow_signup);
    assert_eq!((config.server.host.as_str(), config.log.level.as_str()), ("0.0.0.0", "warn"));
}

#[test]
fn a_secret_may_be_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwt");
    std::fs::write(&path, format!("{STRONG}\n")).unwrap();
    let path = path.display().to_string();
    for name in ["JWT_SECRET_FILE", "AICT_AUTH__JWT_SECRET_FILE"] {
        let config = Config::load(&variables(&[(name, &path)])).unwrap();
        assert_eq!(config.auth.jwt_secret, Some(Secret::new(STRONG)));
    }
    refused(&variables(&[("JWT_SECRET_FILE", &path), ("JWT_SECRET", STRONG)]), "are both set");
    refused(
        &variables(&[("JWT_SECRET_FILE", "/nowhere")]),
        "JWT_SECRET_FILE names /nowhere, which cannot be read",
    );
    refused(&variables(&[("AICT_SERVER__PORT_FILE", &path)]), "AICT_SERVER__PORT_FILE is not a setting");
}

#[test]
fn a_mistake_is_told_with_its_place_and_remedy() {
    for (name, value, expected) in [
        ("PORT", "80a", "environment variable PORT: server.port must be a whole number, not \"80a\""),
        ("PORT", "70000", "environment variable PORT: server.port "),
        ("ALLOW_SIGNUP", "yes", "must be true or false"),
        ("AICT_SERVER__PROT", "1", "AICT_SERVER__PROT is not a setting; did you mean AICT_SERVER__PORT?"),
        ("AICT_CONFG", "1", "did you mean AICT_CONFIG?"),
        ("AICT_CONFIG", "/nowhere.toml", "/nowhere.toml cannot be read"),
        ("MONGODB_URI", "mongodb://ada:hush@localhost/x", "unset MONGODB_URI to use the embedded store"),
        ("CLICKHOUSE_URL", "http://ada:hush@localhost", "does not support ClickHouse yet"),
        ("JWT_SECRET", "hush", "environment variable JWT_SECRET: auth.jwt_secret has 4 bytes"),
        ("JWT_SECRET", "your-jwt-secret", "is a placeholder"),
        ("ENCRYPTION_KEY", "your-encryption-key-32-chars", "is a placeholder"),
        ("AICT_SERVER__REQUEST_TIMEOUT_MS", "5", "must be between 100 and 3600000, not 5"),
        ("AICT_SERVER__TRUSTED_PROXIES", "10.0.0.0/99", "server.trusted_proxies \"10.0.0.0/99\" is not"),
        ("AICT_SERVER__CORS_ORIGINS", "*", "name each origin"),
        ("AICT_AUTH__LOGIN_ATTEMPTS_PER_MINUTE_ACCOUNT", "0", "nonzero"),
        ("AICT_AUTH__ARGON2__MEMORY_KIB", "7", "must be between 8 and"),
        ("AICT_LOG__FORMAT", "xml", "log.format unknown variant `xml`, expected `text` or `json`"),
        ("LOG_LEVEL", "inof", "\"inof\", which is not a level"),
    ] {
        refused(&variables(&[(name, value)]), expected);
    }
}

#[test]
fn a_file_is_checked_as_strictly() {
    for (text, expected) in [
        ("[server]\nprot = 1", "test.toml: server.prot is not a setting; did you mean server.port?"),
        ("port = 1", "did you mean server.port?"),
        ("[colours]\nred = 1", "colours.red is not a setting; docs/reference/configuration.md lists all"),
        ("[colours]", "colours is not a setting"),
        ("server = 5", "server is a section; write [server]"),
        ("[server.port]\nx = 1", "server.port.x is not a setting"),
        ("[server]\nport = \"8000\"", "test.toml: server.port invalid type: string"),
        ("[auth]\njwt_secret = hush", "is not TOML at line 2"),
        ("[auth]\njwt_secret = 1234567", "auth.jwt_secret must be text in quotes"),
    ] {
        let (_folder, sources) = file(text);
        refused(&sources, expected);
        assert!(!Config::load(&sources).unwrap_err().to_string().contains("1234567"));
    }
    let (_folder, sources) = file("[server]\n[log]\n");
    assert!(Config::load(&sources).is_ok());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mut sources = variables(&[("PORT", "x"), ("AICT_COLOUR", "red"), ("JWT_SECRET", "short")]);
    sources.flags = pairs(&[("server.hots", "::1")]);
    let ConfigError(mistakes) = Config::load(&sources).unwrap_err();
    let sources: Vec<&Source> = mistakes.iter().map(|mistake| &mistake.source).collect();
    let variable = |name: &str| Source::Variable(name.to_owned());
    assert_eq!(
        sources,
        [&variable("PORT"), &variable("AICT_COLOUR"), &Source::Flag, &variable("JWT_SECRET")]
    );
}

#[test]
fn values_that_cannot_be_used_are_told_together() {
    let variables = variables(&[
        ("JWT_SECRET", "your-jwt-secret"),
        ("ENCRYPTION_KEY", "your-encryption-key-32-chars"),
        ("MONGODB_URI", "mongodb://localhost:27017/ai-cost-tracker"),
        ("AICT_LOG__FORMAT", "xml"),
        ("AICT_GATEWAY__PROVIDERS__OWN__AUTH", "magic"),
    ]);
    let ConfigError(mistakes) = Config::load(&variables).unwrap_err();
    let mut keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in ["auth.encryption_key", "auth.jwt_secret", "log.format", "store.uri"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert!(keys.iter().any(|key| key.starts_with("gateway.providers.own")), "{keys:?}");
}

#[test]
fn one_secret_for_both_purposes_is_refused() {
    refused(
        &variables(&[("JWT_SECRET", STRONG), ("ENCRYPTION_KEY", STRONG)]),
        "must differ from auth.jwt_secret",
    );
    let again = [("ENCRYPTION_KEY", STRONG), ("AICT_AUTH__PREVIOUS_ENCRYPTION_KEY", STRONG)];
    refused(&variables(&again), "nothing to rotate");
}

#[test]
fn printing_a_configuration_shows_no_secret() {
    let config = Config::load(&variables(&[("JWT_SECRET", STRONG)])).unwrap();
    assert!(!format!("{config:?}").contains("kX2mTt0k"));
}
