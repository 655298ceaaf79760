//! Slows down guessing of passwords, per account and per address.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Mutex,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock, Reference as _},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

use crate::config::Auth;

/// Accounts, and addresses, of which recent attempts are remembered. About 3 MiB each.
const KEYS_MAX: usize = 65_536;
/// Counters that all others share when as many are remembered.
const OVERFLOW_KEYS: u64 = 1_024;
/// Sweeping looks at every key.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Bounds login attempts: so many a minute for an account, and so many for a client address.
///
/// An address is asked first, so that one guesser who is already held back cannot use up the attempts of an account
/// and lock its owner out.
#[derive(Debug)]
pub struct LoginThrottle<C: Clock = DefaultClock> {
    accounts: Attempts<C>,
    addresses: Attempts<C>,
}

impl LoginThrottle {
    /// A throttle on the clock of the operating system.
    pub fn new(auth: &Auth) -> Self {
        let per_account = auth.login_attempts_per_minute_account;
        Self::with_clock(per_account, auth.login_attempts_per_minute_address, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> LoginThrottle<C> {
    /// A throttle on `clock`.
    pub fn with_clock(per_account: NonZeroU32, per_address: NonZeroU32, clock: &C) -> Self {
        Self {
            accounts: Attempts::new(per_account, clock.clone()),
            addresses: Attempts::new(per_address, clock.clone()),
        }
    }

    /// Counts one attempt, or says after how many seconds it may be made.
    pub fn check(&self, email: &str, address: Option<IpAddr>) -> Result<(), u64> {
        address.map_or(Ok(()), |address| self.addresses.check(&subnet(address)))?;
        self.accounts.check(&email.trim().to_lowercase())
    }
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which a single host has 2⁶⁴.
fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Keys are hashes: what a caller sends must not decide how much memory is used.
#[derive(Debug)]
struct Attempts<C: Clock> {
    limiter: RateLimiter<u64, DashMapStateStore<u64>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    hasher: RandomState,
    swept_at: Mutex<C::Instant>,
}

impl<C: Clock + Clone> Attempts<C> {
    fn new(per_minute: NonZeroU32, clock: C) -> Self {
        let limiter =
            RateLimiter::new(Quota::per_minute(per_minute), DashMapStateStore::default(), clock.clone());
        Self { limiter, hasher: RandomState::new(), swept_at: Mutex::new(clock.now()), clock }
    }

    fn check(&self, key: &impl Hash) -> Result<(), u64> {
        let hash = self.hasher.hash_one(key);
        let key = if self.is_full() { hash % OVERFLOW_KEYS } else { hash };
        self.limiter.check_key(&key).map_err(|not_until| {
            let wait: Duration = not_until.earliest_possible().duration_since(self.clock.now()).into();
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }

    /// Whether too many keys are remembered even after those are forgotten that no longer matter.
    fn is_full(&self) -> bool {
        if self.limiter.len() < KEYS_MAX {
            return false;
        }
        self.sweep();
        self.limiter.len() >= KEYS_MAX
    }

    /// Forgets keys whose attempts are all available again; not at every attempt of somebody who makes up keys.
    fn sweep(&self) {
        let Ok(mut swept_at) = self.swept_at.try_lock() else { return };
        let now = self.clock.now();
        if now.duration_since(*swept_at) >= SWEEP_PAUSE.into() {
            self.limiter.retain_recent();
            *swept_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn throttle(per_account: u32, per_address: u32) -> (LoginThrottle<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let bound = |number| NonZeroU32::new(number).unwrap();
        (LoginThrottle::with_clock(bound(per_account), bound(per_address), &clock), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_account_has_its_attempts_whatever_the_address_and_case() {
        let (throttle, clock) = throttle(3, 100);
        for (email, sender) in
            [("ada@example.com", "10.0.0.1"), ("Ada@Example.com", "10.0.0.2"), (" ADA@example.com", "::1")]
        {
            assert_eq!(throttle.check(email, Some(address(sender))), Ok(()));
        }
        assert_eq!(throttle.check("ada@example.com", Some(address("10.0.0.4"))), Err(20));
        assert_eq!(throttle.check("bob@example.com", Some(address("10.0.0.4"))), Ok(()));
        clock.advance(Duration::from_millis(19_500));
        assert_eq!(throttle.check("ada@example.com", None), Err(1));
        clock.advance(Duration::from_millis(500));
        assert_eq!(throttle.check("ada@example.com", None), Ok(()));
    }

    #[test]
    fn an_address_has_its_attempts_whatever_the_account() {
        let (throttle, _clock) = throttle(100, 2);
        for (first, second, third) in [
            ("10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1"),
            ("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff:ffff:ffff:ffff"),
        ] {
            assert_eq!(throttle.check("a@example.com", Some(address(first))), Ok(()));
            assert_eq!(throttle.check("b@example.com", Some(address(second))), Ok(()));
            assert_eq!(throttle.check("c@example.com", Some(address(third))), Err(30));
        }
        assert_eq!(throttle.check("a@example.com", Some(address("2001:db8:0:2::1"))), Ok(()));
    }

    #[test]
    fn a_blocked_address_does_not_use_up_an_account() {
        let (throttle, _clock) = throttle(2, 1);
        assert_eq!(throttle.check("ada@example.com", Some(address("10.0.0.1"))), Ok(()));
        for _ in 0..10 {
            assert_eq!(throttle.check("ada@example.com", Some(address("10.0.0.1"))), Err(60));
        }
        assert_eq!(throttle.check("ada@example.com", Some(address("10.0.0.2"))), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let (throttle, clock) = throttle(1, 1);
        for number in 0..KEYS_MAX + 5_000 {
            // Those that share a counter may be refused; none may be added.
            let _ = throttle.accounts.check(&number);
        }
        assert!(throttle.accounts.limiter.len() <= KEYS_MAX + usize::try_from(OVERFLOW_KEYS).unwrap());
        clock.advance(Duration::from_secs(121));
        assert_eq!(throttle.check("ada@example.com", None), Ok(()));
        assert_eq!(throttle.accounts.limiter.len(), 1);
    }
}
