use super::*;
use crate::config::Sources;

const STRONG: &str = "kX2mTt0kq0dVJcOe2nQ3o8yJ8o2h0bqVh9yZc3mF1aE=";
const OTHER: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c";

fn config(folder: &Path, secrets: &[(&str, &str)]) -> Config {
    let mut flags = vec![("store.data_dir".to_owned(), folder.display().to_string())];
    flags.extend(secrets.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Config::load(&Sources { flags, ..Sources::default() }).unwrap()
}

fn keep(folder: &Path, secrets: &[(&str, &str)]) -> Result<Secrets, SecretsError> {
    config(folder, secrets).keep_secrets(&mut rand::rng())
}

#[cfg(unix)]
fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn secrets_are_generated_once_and_kept() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/data");
    let first = keep(&folder, &[]).unwrap();
    let generated = first.generated.unwrap();
    assert_eq!(generated.names, ["JWT_SECRET", "ENCRYPTION_KEY"]);
    assert!(generated.to_string().contains("back this file up"), "{generated}");
    assert_ne!(first.jwt_secret, first.encryption_key);
    let second = keep(&folder, &[]).unwrap();
    assert_eq!(second.generated, None);
    assert_eq!((second.jwt_secret, second.encryption_key), (first.jwt_secret, first.encryption_key));
    assert_eq!(second.previous_encryption_key, None);
    // No draft is left behind.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn nothing_is_written_when_both_are_configured() {
    let folder = tempfile::tempdir().unwrap();
    let secrets =
        keep(folder.path(), &[("auth.jwt_secret", STRONG), ("auth.encryption_key", OTHER)]).unwrap();
    assert_eq!((secrets.jwt_secret.expose(), secrets.encryption_key.expose()), (STRONG, OTHER));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn only_what_is_missing_is_reported_as_generated() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = keep(folder.path(), &[("auth.jwt_secret", STRONG)]).unwrap();
    assert_eq!(secrets.jwt_secret.expose(), STRONG);
    assert_eq!(secrets.generated.unwrap().names, ["ENCRYPTION_KEY"]);
}

#[test]
fn a_generated_key_still_opens_after_another_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let generated = keep(folder.path(), &[]).unwrap().encryption_key;
    let configured = keep(folder.path(), &[("auth.encryption_key", OTHER)]).unwrap();
    assert_eq!(configured.encryption_key.expose(), OTHER);
    assert_eq!(configured.previous_encryption_key, Some(generated));
    let explicit =
        keep(folder.path(), &[("auth.encryption_key", OTHER), ("auth.previous_encryption_key", STRONG)])
            .unwrap();
    assert_eq!(explicit.previous_encryption_key, Some(Secret::new(STRONG)));
}

#[test]
fn a_file_that_exists_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    assert!(Kept::create(&path, &mut rand::rng()).unwrap().is_some());
    let before = fs::read_to_string(&path).unwrap();
    assert!(Kept::create(&path, &mut rand::rng()).unwrap().is_none());
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = keep(folder.path(), &[]).unwrap().generated.unwrap().path;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = keep(folder.path(), &[]).unwrap_err();
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn an_edited_file_is_told_without_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    for (text, expected) in [
        ("jwt_secret = hush", "must be TOML"),
        ("jwt_secret = \"hush\"\nhush = 1", "must be TOML"),
        ("", "does not hold ENCRYPTION_KEY"),
        ("encryption_key = \"hush\"", "ENCRYPTION_KEY in"),
    ] {
        write(&path, text, 0o600);
        let error = keep(folder.path(), &[("auth.jwt_secret", STRONG)]).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("hush"), "{text}: {error}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = keep(&folder.path().join("file/data"), &[]).unwrap_err().to_string();
    assert!(error.contains("file/data/secrets.toml"), "{error}");
}
