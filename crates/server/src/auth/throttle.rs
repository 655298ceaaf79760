//! Slows down guessing of passwords, per account and per address.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{
    Quota,
    clock::{Clock, DefaultClock},
};

use super::keyed_limit::{KeyedLimit, subnet};
use crate::config::Auth;

/// E-mails an hour by which one address can be asked to choose a new password.
const RESETS_PER_HOUR: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// Bounds login attempts: so many a minute for an account, and so many for a client address.
///
/// An address is asked first, so that one guesser who is already held back cannot use up the attempts of an account
/// and lock its owner out.
#[derive(Debug)]
pub struct LoginThrottle<C: Clock = DefaultClock> {
    accounts: KeyedLimit<C>,
    addresses: KeyedLimit<C>,
    resets: KeyedLimit<C>,
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
            accounts: KeyedLimit::new(Quota::per_minute(per_account), clock.clone()),
            addresses: KeyedLimit::new(Quota::per_minute(per_address), clock.clone()),
            resets: KeyedLimit::new(Quota::per_hour(RESETS_PER_HOUR), clock.clone()),
        }
    }

    /// Counts one attempt, or says after how many seconds it may be made.
    pub fn check(&self, email: &str, address: Option<IpAddr>) -> Result<(), u64> {
        self.check_address(address)?;
        self.accounts.check(&email.trim().to_lowercase()).map(drop)
    }

    /// Counts one attempt that names no account, or says after how many seconds it may be made.
    pub fn check_address(&self, address: Option<IpAddr>) -> Result<(), u64> {
        address.map_or(Ok(()), |address| self.addresses.check(&subnet(address)).map(drop))
    }

    /// Counts one e-mail for choosing a new password, or says after how many seconds it may be sent.
    pub fn check_reset(&self, email: &str, address: Option<IpAddr>) -> Result<(), u64> {
        self.check_address(address)?;
        self.resets.check(&email.trim().to_lowercase()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
