//! The command line.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::process::{Process, command, run};

fn output(data: &Path, args: &[&str]) -> (bool, String) {
    let output = run(data, args);
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
fn what_cannot_be_started_says_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    for (name, value, expected) in [
        ("JWT_SECRET", "short", "JWT_SECRET"),
        ("ENCRYPTION_KEY", "your-encryption-key-32-chars", "ENCRYPTION_KEY"),
        ("MONGODB_URI", "mongodb://user:hush@localhost/db", "does not support MongoDB yet"),
        ("PORT", "http", "PORT"),
        ("AICT_SERVER__PROT", "1", "AICT_SERVER__PORT"),
    ] {
        let output = command(data.path()).arg("serve").env(name, value).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(expected), "{name}: {text}");
        assert!(!text.contains("hush"), "{text}");
    }
    std::fs::write(data.path().join("ai-cost-tracker.toml"), "[server]\nprot = 1\n").unwrap();
    let (started, text) = output(data.path(), &["serve"]);
    assert!(!started && text.contains("prot") && text.contains("port"), "{text}");
}

#[test]
fn data_and_secrets_are_for_their_owner_only() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let process = Process::start(&folder);
    for file in ["secrets.toml", "ai-cost-tracker.db"] {
        let mode = std::fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_server_is_a_store_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path());
    let key = process.owner_key().await;
    process.post("/api/usage/track", &key, &json!({ "model": "gpt-4o", "cost": 1.5 })).await;
    let copy = tempfile::tempdir().unwrap();
    let target = copy.path().join("ai-cost-tracker.db");
    let (done, text) = output(data.path(), &["backup", target.to_str().unwrap()]);
    assert!(done && text.contains("secrets.toml"), "{text}");
    process.post("/api/usage/track", &key, &json!({ "model": "gpt-4o", "cost": 7 })).await;

    let (refused, text) = output(data.path(), &["backup", target.to_str().unwrap()]);
    assert!(!refused && text.contains("exists"), "{text}");
    let (locked, text) = output(data.path(), &["verify", "--rebuild"]);
    assert!(!locked && text.contains("in use"), "{text}");
    process.kill();

    let (verified, text) = output(copy.path(), &["verify"]);
    assert!(verified && text.starts_with("1 records"), "{text}");
    let (exported, text) = output(copy.path(), &["export", "--format", "csv"]);
    assert!(exported && text.lines().count() == 2 && text.contains(",1.5,"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_keys_are_rotated_to_a_new_master_key() {
    let data = tempfile::tempdir().unwrap();
    let (old, new) = ("old-master-key-with-enough-variety-0123", "new-master-key-with-enough-variety-9876");
    let with = |encryption: &str, args: &[&str]| {
        let mut command = command(data.path());
        command.args(["--setting", &format!("auth.encryption_key={encryption}")]).args(args);
        command
    };
    let path = data.path().join("ai-cost-tracker.db");
    {
        use domain::{
            Secret,
            provider_key::ProviderKey,
            user::{Role, User},
        };
        use store::{
            AccountStore as _, Claim, KeyStore as _, UserWithHash,
            sqlite::{Options, Sqlite},
        };
        let store = Sqlite::open(&path, Options::default()).unwrap();
        let at = "2024-01-01T00:00:00Z".parse().unwrap();
        let id = "507f1f77bcf86cd799439011".parse().unwrap();
        let user = User {
            id,
            email: "a@b.c".into(),
            name: "A".into(),
            role: Role::Owner,
            preferences: "{}".into(),
            demo: false,
            created_at: at,
        };
        store.insert_user(&UserWithHash { user, password_hash: "x".into() }, Claim::First).await.unwrap();
        let sealed = server::vault::Vault::new(&Secret::new(old), None)
            .seal(id, "openai", &Secret::new("sk-live"))
            .unwrap();
        let key = ProviderKey {
            user_id: id,
            provider: "openai".into(),
            masked: "…".into(),
            sealed,
            added_at: at,
            last_used_at: None,
        };
        store.put_provider_key(&key).await.unwrap();
        store.close().await.unwrap();
    }
    let without_old = with(new, &["keys", "rotate"]).output().unwrap();
    assert!(!without_old.status.success());
    let previous = format!("auth.previous_encryption_key={old}");
    let rotated = with(new, &["--setting", &previous, "keys", "rotate"]).output().unwrap();
    assert!(String::from_utf8_lossy(&rotated.stdout).starts_with("1 provider keys"), "{rotated:?}");
    let again = with(new, &["keys", "rotate"]).output().unwrap();
    assert!(
        again.status.success() && String::from_utf8_lossy(&again.stdout).starts_with("0 provider keys"),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_changes_something_has_its_entry_in_the_audit_log() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path());
    let key = process.owner_key().await;
    assert!(process.terminate().success());
    let (set, text) = output(data.path(), &["fx-rates", "set", "EUR", "1.1", "--date", "2024-02-01"]);
    assert!(set, "{text}");
    let process = Process::start(data.path());
    let entries: Value = serde_json::from_str(&process.get("/api/audit", &key).await).unwrap();
    let entry = &entries["data"][0];
    assert_eq!((&entry["action"], &entry["actor"]), (&json!("CLI fx-rates set"), &Value::Null));
    assert_eq!((&entry["after"]["currency"], &entry["after"]["rate"]), (&json!("EUR"), &json!(1.1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_promoted_and_given_new_passwords() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path());
    process.owner_key().await;
    assert!(process.terminate().success());
    let (_, text) = output(data.path(), &["users", "list"]);
    assert!(text.contains("owner@example.com"), "{text}");
    let (demoted, text) = output(data.path(), &["users", "set-role", "owner@example.com", "member"]);
    assert!(!demoted && text.contains("without an owner"), "{text}");
    let (reset, text) = output(data.path(), &["users", "reset-password", "Owner@example.com"]);
    assert!(reset, "{text}");
    let password = text.lines().next().unwrap().split_once(": ").unwrap().1.to_owned();
    let process = Process::start(data.path());
    let log_in = |password: &str| json!({ "email": "owner@example.com", "password": password });
    assert_eq!(process.post("/api/auth/login", "", &log_in("correct horse")).await["success"], json!(false));
    assert_eq!(process.post("/api/auth/login", "", &log_in(&password)).await["success"], json!(true));
}

#[test]
fn prices_can_be_looked_up() {
    let data = tempfile::tempdir().unwrap();
    let (shown, text) = output(data.path(), &["prices", "show", "gpt-4o-mini"]);
    assert!(shown && text.contains("openai/gpt-4o-mini"), "{text}");
    let (listed, text) =
        output(data.path(), &["prices", "list", "--provider", "anthropic", "--at", "2026-01-01T00:00:00Z"]);
    assert!(listed && text.lines().skip(1).all(|line| line.starts_with("anthropic")), "{text}");
    let (unknown, text) = output(data.path(), &["prices", "show", "nobodys"]);
    assert!(!unknown && text.contains("not in the catalog"), "{text}");
}

/// Runs the server once to record a call of a model that no catalog knows.
async fn with_an_unpriced_call(data: &Path) {
    let mut process = Process::start(data);
    let key = process.owner_key().await;
    let call =
        json!({ "service": "azure", "model": "prod-chat", "promptTokens": 1000, "completionTokens": 500 });
    assert_eq!(process.post("/api/usage/track", &key, &call).await["data"]["costSource"], json!("unpriced"));
    assert!(process.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_mapped_from_the_command_line_and_price_what_had_no_price() {
    let data = tempfile::tempdir().unwrap();
    let mappings = |args: &[&str]| output(data.path(), &[&["prices", "mappings"], args].concat());
    with_an_unpriced_call(data.path()).await;
    let small = ["add", "prod-*", "--to-service", "openai", "--to-model", "gpt-4o-mini"];

    let (shown, text) = mappings(&[&small[..], &["--dry-run"]].concat());
    assert!(
        shown && text.contains("+ {\"model\":\"prod-*\"") && text.contains("1 changes would be"),
        "{text}"
    );
    let (refused, text) = mappings(&["add", "x", "--to-service", "openai", "--to-model", "nobodys"]);
    assert!(!refused && text.contains("not in the catalog"), "{text}");
    let (added, text) = mappings(&small);
    assert!(added && text.contains("1 records that had no cost have one now"), "{text}");
    let narrow = ["add", "PROD-chat", "--service", "azure", "--to-service", "openai", "--to-model", "gpt-4o"];
    let (added, text) = mappings(&narrow);
    assert!(added && text.contains("0 records"), "{text}");

    let (_, table) = mappings(&["show"]);
    let models: Vec<String> = serde_json::from_str::<Value>(&table).unwrap()["mappings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["model"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(models, ["prod-chat", "prod-*"], "the narrow one comes before the wide one");
    std::fs::write(data.path().join("table.json"), &table).unwrap();
    let (removed, text) = mappings(&["remove", "prod-chat", "--service", "azure"]);
    assert!(removed && text.starts_with("- {"), "{text}");
    let (again, text) = mappings(&["remove", "prod-chat", "--service", "azure"]);
    assert!(!again && text.contains("is not mapped"), "{text}");
    let (set, text) = mappings(&["set", "table.json"]);
    assert!(set && text.starts_with("+ {") && text.contains("1 changes made"), "{text}");
    assert_eq!(mappings(&["show"]).1, table);

    let (_, text) = output(data.path(), &["prices", "revisions"]);
    let kept: Vec<&str> = text.lines().filter(|line| line.starts_with("mappings")).collect();
    assert!(kept.len() == 4 && kept.iter().all(|line| line.contains("the program")), "{text}");
    assert!(text.contains("1 of 1 records without a cost priced"), "{text}");
    let (verified, text) = output(data.path(), &["verify"]);
    assert!(verified, "{text}");
}

#[test]
fn overrides_are_set_and_shown_from_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let overrides = |args: &[&str]| output(data.path(), &[&["prices", "overrides"], args].concat());
    let write = |rules: Value| {
        std::fs::write(data.path().join("rules.json"), json!({ "rules": rules }).to_string()).unwrap();
    };
    write(json!([{ "id": "a", "discountBasisPoints": 1, "marginBasisPoints": 1 }]));
    let (refused, text) = overrides(&["set", "rules.json"]);
    assert!(!refused && text.contains("rules[0]: needs exactly one of"), "{text}");
    write(json!([{ "id": "contract", "service": "openai", "discountBasisPoints": 1000 }]));
    let (shown, text) = overrides(&["set", "rules.json", "--dry-run"]);
    assert!(shown && text.contains("1 changes would be made"), "{text}");
    assert_eq!(overrides(&["show"]).1.trim(), "{\n  \"rules\": []\n}");
    let (set, text) = overrides(&["set", "rules.json"]);
    assert!(set && text.contains("1 changes made"), "{text}");
    assert!(overrides(&["show"]).1.contains("\"discountBasisPoints\": 1000"));
    let (_, text) = output(data.path(), &["prices", "revisions"]);
    assert!(text.contains("overrides set from rules.json"), "{text}");
    // A rule that has no name is given one, as over the API; the same file again makes another.
    write(json!([{ "model": "gpt-*", "marginBasisPoints": 1 }, { "model": "o*", "marginBasisPoints": 2 }]));
    let (set, text) = overrides(&["set", "rules.json"]);
    assert!(set && text.contains("3 changes made"), "{text}");
    let shown: Value = serde_json::from_str(&overrides(&["show"]).1).unwrap();
    let ids = [0, 1].map(|index| shown["rules"][index]["id"].as_str().unwrap().to_owned());
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("rule-")), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_list_prices_what_had_no_price_at_once() {
    let data = tempfile::tempdir().unwrap();
    with_an_unpriced_call(data.path()).await;
    let list = json!({
        "version": "1", "source": { "name": "mine", "version": "1" },
        "providers": [{ "id": "azure", "name": "Azure", "models": [{
            "id": "prod-chat", "prices": [{ "rates": { "input_tokens": "1", "output_tokens": "2" } }],
        }] }],
    });
    std::fs::write(data.path().join("list.json"), list.to_string()).unwrap();
    let (imported, text) = output(data.path(), &["prices", "import", "--format", "native", "list.json"]);
    assert!(imported && text.contains("1 records that had no cost have one now"), "{text}");
    let (_, text) = output(data.path(), &["export", "--format", "csv"]);
    assert!(text.contains(",0.002,"), "{text}");
}
