//! Where spans of a trace are to each other, as far as is known.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use super::{SpanId, TraceId};
use crate::UserId;

/// How far up is looked.
const DEPTH_MAX: usize = 64;
/// Spans of one trace that are remembered, and traces; the oldest trace is forgotten first.
const SPANS_MAX: usize = 4_096;
const TRACES_MAX: usize = 1_024;

/// Where something is to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is inside of it, however deep.
    Inside,
    /// It is not.
    Outside,
    /// A span between them has not come, or was forgotten.
    Unknown,
}

/// What is known of where a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// In this span.
    Span([u8; 8]),
    /// In none: it is the root of its trace.
    None,
    /// Nobody says.
    Unknown,
}

/// The parents of a trace's spans.
#[derive(Debug, Clone, Default)]
pub struct Tree(HashMap<[u8; 8], Option<[u8; 8]>>);

impl Tree {
    /// Learns where a span is.
    pub fn insert(&mut self, span: [u8; 8], parent: Option<[u8; 8]>) {
        if self.0.len() < SPANS_MAX {
            self.0.insert(span, parent);
        }
    }

    /// Where what was made in `parent` is to `span`.
    pub fn place(&self, parent: Parent, span: [u8; 8]) -> Place {
        // What contains the span is not inside of it, nor is what else is in there.
        let above: HashSet<[u8; 8]> = self.up(span).skip(1).collect();
        let mut next = match parent {
            Parent::Span(parent) => parent,
            Parent::None => return Place::Outside,
            Parent::Unknown => return Place::Unknown,
        };
        for _ in 0..DEPTH_MAX {
            if next == span {
                return Place::Inside;
            }
            if above.contains(&next) {
                return Place::Outside;
            }
            match self.0.get(&next) {
                Some(Some(parent)) => next = *parent,
                Some(None) => return Place::Outside,
                None => return Place::Unknown,
            }
        }
        Place::Unknown
    }

    fn up(&self, span: [u8; 8]) -> impl Iterator<Item = [u8; 8]> + '_ {
        std::iter::successors(Some(span), |span| self.0.get(span).copied().flatten()).take(DEPTH_MAX)
    }
}

/// The trees of traces of which more spans are awaited.
#[derive(Debug, Default)]
pub struct Trees(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    trees: HashMap<(UserId, TraceId), Tree>,
    order: VecDeque<(UserId, TraceId)>,
}

impl Trees {
    /// Learns where spans are.
    pub fn learn(&self, user: UserId, spans: impl IntoIterator<Item = (SpanId, Option<SpanId>)>) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, parent) in spans {
            remembered.tree((user, id.trace)).insert(id.span, parent.map(|parent| parent.span));
        }
    }

    /// What is known of a trace.
    pub fn of(&self, user: UserId, trace: TraceId) -> Tree {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.trees.get(&(user, trace)).cloned().unwrap_or_default()
    }
}

impl Remembered {
    fn tree(&mut self, place: (UserId, TraceId)) -> &mut Tree {
        if !self.trees.contains_key(&place) {
            if self.order.len() >= TRACES_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.trees.remove(&oldest);
            }
            self.order.push_back(place);
        }
        self.trees.entry(place).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> [u8; 8] {
        [number; 8]
    }

    #[test]
    fn what_is_inside_is_told_from_what_is_beside_and_from_what_is_not_known() {
        // 1 contains 2 and 5; 2 contains 3, which contains 4; 7 is in 6, which has not come.
        let mut tree = Tree::default();
        for (span, parent) in
            [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (5, Some(1)), (7, Some(6))]
        {
            tree.insert(id(span), parent.map(id));
        }
        for (parent, expected) in [
            (Parent::Span(id(3)), Place::Inside),
            (Parent::Span(id(2)), Place::Inside),
            (Parent::Span(id(1)), Place::Outside),
            (Parent::Span(id(5)), Place::Outside),
            (Parent::None, Place::Outside),
            (Parent::Span(id(7)), Place::Unknown),
            (Parent::Unknown, Place::Unknown),
        ] {
            assert_eq!(tree.place(parent, id(2)), expected, "{parent:?}");
        }
        let mut without_root = Tree::default();
        without_root.insert(id(2), Some(id(1)));
        assert_eq!(without_root.place(Parent::Span(id(1)), id(2)), Place::Outside, "beside it, in the same");
        let mut circle = Tree::default();
        circle.insert(id(8), Some(id(9)));
        circle.insert(id(9), Some(id(8)));
        assert_eq!(circle.place(Parent::Span(id(8)), id(2)), Place::Unknown);
    }
}
