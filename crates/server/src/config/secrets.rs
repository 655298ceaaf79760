//! Secrets that nobody configured: generated once and kept in the data folder.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Secret;
use rand::RngExt as _;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Config, private_file, strength};

const FILE: &str = "secrets.toml";

/// The secrets to use.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs access tokens.
    pub jwt_secret: Secret,
    /// Encrypts provider keys.
    pub encryption_key: Secret,
    /// May have encrypted provider keys that are not yet encrypted anew: the one configured, or the one that was
    /// generated before another was configured.
    pub previous_encryption_key: Option<Secret>,
    /// What was generated just now, to be told once.
    pub generated: Option<GeneratedSecrets>,
}

/// Which secrets were generated, and where they are. Displays as one line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSecrets {
    /// `JWT_SECRET`, `ENCRYPTION_KEY`.
    pub names: Vec<&'static str>,
    /// The file that holds them.
    pub path: PathBuf,
}

/// Secrets could be neither read nor kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file cannot be made.
    #[error("secrets cannot be kept in {}: {error}; make its folder writable, or set JWT_SECRET and ENCRYPTION_KEY", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others on this machine can read the file.
    #[error("{path} can be read by others on this machine; run `chmod 600 {path}`", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error("{} must be TOML with jwt_secret and encryption_key as text, and nothing else; restore it from a backup", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold a secret that is needed.
    #[error("{} does not hold {name}; restore it from a backup, or set {name}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Which secret.
        name: &'static str,
    },
    /// The file was edited and holds a secret that can be guessed.
    #[error("{name} in {}: {why}", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
        /// Which secret.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Config {
    /// The secrets to use: those that are configured, and otherwise those in `secrets.toml` in the data folder, which
    /// is made if it does not exist.
    pub fn keep_secrets(&self, rng: &mut impl rand::CryptoRng) -> Result<Secrets, SecretsError> {
        let path = self.store.data_dir.join(FILE);
        let configured =
            [("JWT_SECRET", &self.auth.jwt_secret), ("ENCRYPTION_KEY", &self.auth.encryption_key)];
        let needed: Vec<_> =
            configured.iter().filter(|(_, secret)| secret.is_none()).map(|(name, _)| *name).collect();
        let (kept, generated) = match Kept::read(&path)? {
            Some(kept) => (kept, None),
            None if needed.is_empty() => (Kept::default(), None),
            None => match Kept::create(&path, rng)
                .map_err(|error| SecretsError::Unwritable { path: path.clone(), error })?
            {
                Some(kept) => (kept, Some(GeneratedSecrets { names: needed, path: path.clone() })),
                // Another process was faster.
                None => (Kept::read(&path)?.unwrap_or_default(), None),
            },
        };
        let encryption_key =
            choose("ENCRYPTION_KEY", self.auth.encryption_key.as_ref(), kept.encryption_key.as_ref(), &path)?;
        let previous = self.auth.previous_encryption_key.clone().or(kept.encryption_key);
        Ok(Secrets {
            jwt_secret: choose("JWT_SECRET", self.auth.jwt_secret.as_ref(), kept.jwt_secret.as_ref(), &path)?,
            previous_encryption_key: previous.filter(|previous| *previous != encryption_key),
            encryption_key,
            generated,
        })
    }
}

fn choose(
    name: &'static str,
    configured: Option<&Secret>,
    kept: Option<&Secret>,
    path: &Path,
) -> Result<Secret, SecretsError> {
    if let Some(configured) = configured {
        return Ok(configured.clone());
    }
    let kept = kept.ok_or_else(|| SecretsError::Missing { path: path.to_owned(), name })?;
    match strength::find_weakness(kept) {
        Some(why) => Err(SecretsError::Weak { path: path.to_owned(), name, why }),
        None => Ok(kept.clone()),
    }
}

impl fmt::Display for GeneratedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, path) = (self.names.join(" and "), self.path.display());
        write!(
            f,
            "generated {names} and kept them in {path}; back this file up: without it stored provider keys cannot be read"
        )
    }
}

/// What `secrets.toml` holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    jwt_secret: Option<Secret>,
    encryption_key: Option<Secret>,
}

impl Kept {
    fn read(path: &Path) -> Result<Option<Self>, SecretsError> {
        let unreadable = |error| SecretsError::Unreadable { path: path.to_owned(), error };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if private_file::is_exposed(&metadata) {
            return Err(SecretsError::Exposed { path: path.to_owned() });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        // The parser's own message quotes the line.
        toml::from_str(&text).map(Some).map_err(|_| SecretsError::Malformed { path: path.to_owned() })
    }

    /// Both secrets, whichever is needed, so that the file never has to change. `None` if the file exists by now.
    fn create(path: &Path, rng: &mut impl rand::CryptoRng) -> io::Result<Option<Self>> {
        let mut generate = || Secret::new(URL_SAFE_NO_PAD.encode(rng.random::<[u8; 32]>()));
        let (jwt_secret, encryption_key) = (generate(), generate());
        let text = Zeroizing::new(format!(
            "# Generated by ai-cost-tracker. Back this file up: without it stored provider keys cannot be read.\n\
             jwt_secret = \"{}\"\nencryption_key = \"{}\"\n",
            jwt_secret.expose(),
            encryption_key.expose(),
        ));
        let created = private_file::create(path, text.as_bytes(), rng.random())?;
        Ok(created.then_some(Self { jwt_secret: Some(jwt_secret), encryption_key: Some(encryption_key) }))
    }
}

#[cfg(test)]
mod tests;
