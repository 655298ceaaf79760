//! So many a minute for each of many keys, in bounded memory.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::Mutex,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference as _},
    middleware::{NoOpMiddleware, StateInformationMiddleware},
    state::keyed::DashMapStateStore,
};

/// Keys that are remembered. About 3 MiB.
const KEYS_MAX: usize = 65_536;
/// Counters that all others share when as many are remembered.
const OVERFLOW_KEYS: u64 = 1_024;
/// Sweeping looks at every key.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Counts by key. Keys are hashes: what a caller sends must not decide how much memory is used.
#[derive(Debug)]
pub struct KeyedLimit<C: Clock> {
    limiter: RateLimiter<u64, DashMapStateStore<u64>, C, StateInformationMiddleware>,
    clock: C,
    hasher: RandomState,
    swept_at: Mutex<C::Instant>,
}

impl<C: Clock + Clone> KeyedLimit<C> {
    /// As many as `quota` says, for each key.
    pub fn new(quota: Quota, clock: C) -> Self {
        let limiter: RateLimiter<_, _, _, NoOpMiddleware<C::Instant>> =
            RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        let limiter = limiter.with_middleware();
        Self { limiter, hasher: RandomState::new(), swept_at: Mutex::new(clock.now()), clock }
    }

    /// Counts one and says how many are left, or after how many seconds there is one again.
    pub fn check(&self, key: &impl Hash) -> Result<u32, u64> {
        let hash = self.hasher.hash_one(key);
        let key = if self.is_full() { hash % OVERFLOW_KEYS } else { hash };
        let counted = self.limiter.check_key(&key).map_err(|not_until| {
            let wait: Duration = not_until.earliest_possible().duration_since(self.clock.now()).into();
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })?;
        Ok(counted.remaining_burst_capacity())
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }

    /// Whether too many keys are remembered even after those are forgotten that no longer matter.
    fn is_full(&self) -> bool {
        if self.limiter.len() < KEYS_MAX {
            return false;
        }
        self.sweep();
        self.limiter.len() >= KEYS_MAX
    }

    /// Forgets keys that have everything available again; not at every call of somebody who makes up keys.
    fn sweep(&self) {
        let Ok(mut swept_at) = self.swept_at.try_lock() else { return };
        let now = self.clock.now();
        if now.duration_since(*swept_at) >= SWEEP_PAUSE.into() {
            self.limiter.retain_recent();
            *swept_at = now;
        }
    }
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which a single host has 2⁶⁴.
pub fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let clock = FakeRelativeClock::default();
        let limit = KeyedLimit::new(Quota::per_minute(NonZeroU32::MIN), clock.clone());
        for number in 0..KEYS_MAX + 5_000 {
            // Those that share a counter may be refused; none may be added.
            let _ = limit.check(&number);
        }
        assert!(limit.len() <= KEYS_MAX + usize::try_from(OVERFLOW_KEYS).unwrap());
        clock.advance(Duration::from_secs(121));
        assert_eq!(limit.check(&"ada@example.com"), Ok(0));
        assert_eq!(limit.len(), 1);
    }
}
