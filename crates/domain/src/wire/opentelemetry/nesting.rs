//! Calls inside of calls.
//!
//! A span around a call often repeats what the call used: a client's own span inside of an instrumentation's, or the span
//! of an operation around that of its request. Of calls that do the same, one inside of the other, the innermost was made.
//! A span ends before what contains it, and often comes in an earlier request; so it is remembered for a while what was
//! inside of the spans that have yet to come.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem,
    sync::{Mutex, PoisonError},
};

use super::{SpanCall, SpanId, Told, Work};
use crate::UserId;

/// Spans that have yet to come and are known to contain calls; the oldest is forgotten first.
const AWAITED_MAX: usize = 16_384;
/// Calls that are remembered to be inside of one such span.
const CALLS_INSIDE_MAX: usize = 64;
/// How far up is looked.
const DEPTH_MAX: usize = 64;

/// What was inside of spans that have yet to come.
#[derive(Debug, Default)]
pub struct Nesting(Mutex<Awaited>);

#[derive(Debug, Default)]
struct Awaited {
    inside: HashMap<(UserId, SpanId), Vec<Inner>>,
    order: VecDeque<(UserId, SpanId)>,
}

/// A call that was made, by its work and its key.
#[derive(Debug, Clone, PartialEq)]
struct Inner {
    work: Work,
    key: Option<String>,
    /// Whether it says what was used.
    counts: bool,
}

impl Nesting {
    /// Takes the calls out of `told` that were made, and those that tell of the same reply by its id: which of these tells
    /// most is found out when they are kept. Leaves those aggregates inside of which no call is known to have counted.
    pub fn settle(&self, user: UserId, told: &mut Told) -> Vec<SpanCall> {
        let calls = mem::take(&mut told.calls);
        let parents = told.parents.iter().copied().collect();
        let mut awaited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, inside) = awaited.settle(user, calls, &parents);
        told.aggregates
            .retain(|aggregate| !inside.get(&aggregate.id).into_iter().flatten().any(|inner| inner.counts));
        calls
    }
}

impl Awaited {
    fn settle(
        &mut self,
        user: UserId,
        mut calls: Vec<SpanCall>,
        parents: &HashMap<SpanId, Option<SpanId>>,
    ) -> (Vec<SpanCall>, HashMap<SpanId, Vec<Inner>>) {
        hand_identities_down(&mut calls, parents);
        let innermost = innermost(&calls, parents);
        let mut inside: HashMap<SpanId, Vec<Inner>> = HashMap::new();
        for call in calls.iter().filter(|call| innermost.contains(&call.id)) {
            let counts = !call.new.usage.is_empty();
            let inner = Inner { work: call.work, key: call.new.request_id.clone(), counts };
            self.spread((user, call.id), &inner, parents, &mut inside);
        }
        for (awaited, inners) in self.arrived(user, parents) {
            for inner in inners {
                inside.entry(awaited).or_default().push(inner.clone());
                self.spread((user, awaited), &inner, parents, &mut inside);
            }
        }
        calls.retain(|call| {
            let same_work = |inner: &&Inner| inner.work == call.work;
            let inner = inside.get(&call.id).into_iter().flatten().filter(same_work);
            let mut keys = inner.map(|inner| &inner.key).peekable();
            keys.peek().is_none() || keys.any(|key| *key == call.new.request_id)
        });
        (calls, inside)
    }

    /// Notes `inner` in everything around `from`, up to a span that has yet to come.
    fn spread(
        &mut self,
        (user, from): (UserId, SpanId),
        inner: &Inner,
        parents: &HashMap<SpanId, Option<SpanId>>,
        inside: &mut HashMap<SpanId, Vec<Inner>>,
    ) {
        for around in around(from, parents) {
            if parents.contains_key(&around) {
                inside.entry(around).or_default().push(inner.clone());
            } else {
                self.await_span((user, around), inner);
            }
        }
    }

    fn await_span(&mut self, place: (UserId, SpanId), inner: &Inner) {
        if !self.inside.contains_key(&place) {
            if self.order.len() >= AWAITED_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.inside.remove(&oldest);
            }
            self.order.push_back(place);
        }
        let known = self.inside.entry(place).or_default();
        if known.len() < CALLS_INSIDE_MAX && !known.contains(inner) {
            known.push(inner.clone());
        }
    }

    /// What is known to be inside of the spans that came now. It stays known: a request may be sent again.
    fn arrived(&self, user: UserId, parents: &HashMap<SpanId, Option<SpanId>>) -> Vec<(SpanId, Vec<Inner>)> {
        let known = |span: &SpanId| Some((*span, self.inside.get(&(user, *span))?.clone()));
        parents.keys().filter_map(known).collect()
    }
}

/// The spans around `span`, from the inside; the last may be one that has yet to come.
fn around(span: SpanId, parents: &HashMap<SpanId, Option<SpanId>>) -> impl Iterator<Item = SpanId> + '_ {
    let parent = |span: &SpanId| parents.get(span).copied().flatten();
    std::iter::successors(parent(&span), parent).take(DEPTH_MAX)
}

/// Calls with none of their work inside.
fn innermost(calls: &[SpanCall], parents: &HashMap<SpanId, Option<SpanId>>) -> HashSet<SpanId> {
    let work: HashMap<SpanId, Work> = calls.iter().map(|call| (call.id, call.work)).collect();
    let mut innermost: HashSet<SpanId> = work.keys().copied().collect();
    for call in calls {
        for around in around(call.id, parents).filter(|around| work.get(around) == Some(&call.work)) {
            innermost.remove(&around);
        }
    }
    innermost
}

/// A call that does not know the provider's id of its reply has it from the span around it, if that contains no other.
fn hand_identities_down(calls: &mut [SpanCall], parents: &HashMap<SpanId, Option<SpanId>>) {
    let innermost = innermost(calls, parents);
    let identified: HashMap<SpanId, (Work, Option<String>)> = calls
        .iter()
        .filter(|call| call.is_identified)
        .map(|call| (call.id, (call.work, call.new.request_id.clone())))
        .collect();
    let giver = |call: &SpanCall| {
        around(call.id, parents).find(|span| identified.get(span).is_some_and(|(work, _)| *work == call.work))
    };
    let mut contained: HashMap<SpanId, usize> = HashMap::new();
    for call in calls.iter().filter(|call| innermost.contains(&call.id)) {
        if let Some(giver) = giver(call) {
            *contained.entry(giver).or_default() += 1;
        }
    }
    for call in calls.iter_mut().filter(|call| innermost.contains(&call.id) && !call.is_identified) {
        if let Some(giver) = giver(call).filter(|giver| contained.get(giver) == Some(&1)) {
            call.is_identified = true;
            call.new.request_id = identified.get(&giver).and_then(|(_, key)| key.clone());
        }
    }
}
