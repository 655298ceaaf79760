//! Passwords, hashed with Argon2id.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use domain::Secret;
use tokio::sync::{Semaphore, TryAcquireError};

use crate::config::Argon2Cost;

/// Hashes computed at once; each takes the configured memory (19 MiB) and a core for tens of milliseconds.
pub const HASHES_AT_ONCE: usize = 4;
/// Hashes that are computed or wait for it; one more is refused, because its caller would give up before its turn.
pub const HASHES_PENDING_MAX: usize = 64;

/// Hashes and checks passwords, off the threads that serve requests.
#[derive(Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Checked for an account that does not exist, so that the answer takes as long as for one that does.
    decoy: String,
    running: Arc<Semaphore>,
    pending: Arc<Semaphore>,
}

/// A password could be neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// [`HASHES_PENDING_MAX`] are pending: 503, try again in a moment.
    #[error("too many passwords are being checked; try again in a moment")]
    Busy,
    /// The parameters, or the hash that is stored, are not Argon2's.
    #[error("Argon2 failed: {0}")]
    Argon2(argon2::password_hash::Error),
    /// The hash that is stored cannot be parsed.
    #[error("a stored password hash is malformed")]
    Malformed,
    /// The thread ended early: the server is shutting down.
    #[error("hashing was interrupted")]
    Interrupted,
}

impl Passwords {
    /// A hasher of this cost. Computes one hash, which blocks for tens of milliseconds.
    pub fn new(cost: &Argon2Cost) -> Result<Self, PasswordError> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|error| PasswordError::Argon2(error.into()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self {
            decoy: hash(&argon2, &Secret::new("nobody's password"))?,
            argon2,
            running: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            pending: Arc::new(Semaphore::new(HASHES_PENDING_MAX)),
        })
    }

    /// The hash of a new password, as a PHC string.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        self.run(move || hash(&argon2, &password)).await
    }

    /// Whether `password` is the one that `stored` was made of. Without a stored hash the answer is no, after the
    /// same work, so that nobody learns from the time it takes which accounts exist.
    pub async fn verify(&self, stored: Option<String>, password: Secret) -> Result<bool, PasswordError> {
        let exists = stored.is_some();
        let argon2 = self.argon2.clone();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let matches = self.run(move || verify(&argon2, &stored, &password)).await?;
        Ok(exists && matches)
    }

    /// Whether `stored` was made at another cost than the configured one: hash the password again at the next login.
    pub fn needs_rehash(&self, stored: &str) -> bool {
        let current = self.argon2.params();
        PasswordHash::new(stored).ok().is_none_or(|hash| {
            let used = Params::try_from(&hash).ok();
            let same_cost = used.is_some_and(|used| {
                (used.m_cost(), used.t_cost(), used.p_cost())
                    == (current.m_cost(), current.t_cost(), current.p_cost())
            });
            hash.algorithm != argon2::ARGON2ID_IDENT
                || hash.version != Some(Version::V0x13.into())
                || !same_cost
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let pending = Arc::clone(&self.pending).try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => PasswordError::Busy,
            TryAcquireError::Closed => PasswordError::Interrupted,
        })?;
        let running =
            Arc::clone(&self.running).acquire_owned().await.map_err(|_| PasswordError::Interrupted)?;
        // The permits go with the work: it goes on, and holds its memory, when the caller has hung up.
        let hashed = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((running, pending));
            result
        });
        hashed.await.map_err(|_| PasswordError::Interrupted)?
    }
}

fn hash(argon2: &Argon2<'_>, password: &Secret) -> Result<String, PasswordError> {
    let hash = argon2.hash_password(password.expose().as_bytes()).map_err(PasswordError::Argon2)?;
    Ok(hash.to_string())
}

fn verify(argon2: &Argon2<'_>, stored: &str, password: &Secret) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(stored).map_err(|_| PasswordError::Malformed)?;
    match argon2.verify_password(password.expose().as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::Argon2(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 16, iterations: 1, parallelism: 1 };

    fn passwords() -> Passwords {
        Passwords::new(&CHEAP).unwrap()
    }

    #[tokio::test]
    async fn only_the_right_password_is_accepted() {
        let passwords = passwords();
        let stored = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=16,t=1,p=1$"), "{stored}");
        let verify = |password: &str| passwords.verify(Some(stored.clone()), Secret::new(password));
        assert!(verify("correct horse").await.unwrap());
        assert!(!verify("correct horse ").await.unwrap());
        assert!(!verify("").await.unwrap());
        assert_ne!(stored, passwords.hash(Secret::new("correct horse")).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_logs_in_without_an_account() {
        let passwords = passwords();
        for password in ["nobody's password", "", "anything"] {
            assert!(!passwords.verify(None, Secret::new(password)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_malformed_hash_is_an_error_and_not_a_wrong_password() {
        let verified = passwords().verify(Some("plain text".to_owned()), Secret::new("plain text")).await;
        assert!(matches!(verified, Err(PasswordError::Malformed)));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_still_verifies_and_is_made_again() {
        let stored = passwords().hash(Secret::new("correct horse")).await.unwrap();
        let dearer = Passwords::new(&Argon2Cost { iterations: 2, ..CHEAP }).unwrap();
        assert!(dearer.verify(Some(stored.clone()), Secret::new("correct horse")).await.unwrap());
        assert!(dearer.needs_rehash(&stored));
        assert!(!passwords().needs_rehash(&stored));
        assert!(passwords().needs_rehash(&stored.replace("argon2id", "argon2i")));
        assert!(passwords().needs_rehash("plain text"));
    }

    #[tokio::test]
    async fn one_too_many_is_refused_at_once() {
        let passwords = passwords();
        let held = passwords.pending.acquire_many(u32::try_from(HASHES_PENDING_MAX).unwrap()).await.unwrap();
        assert!(matches!(passwords.hash(Secret::new("x")).await, Err(PasswordError::Busy)));
        drop(held);
        assert!(passwords.hash(Secret::new("x")).await.is_ok());
    }

    #[test]
    fn an_impossible_cost_is_refused() {
        assert!(Passwords::new(&Argon2Cost { memory_kib: 1, ..CHEAP }).is_err());
    }
}
