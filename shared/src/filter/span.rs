//! Comparing with a stretch instead of a point: a day, or a band of confidence.

use super::operator::Operator;

/// From `first` to `last`, both within. A single number or instant is a span of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<T> {
    pub(super) first: T,
    pub(super) last: T,
}

/// How a value lies to a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Within,
    After,
    NotBefore,
    Before,
    NotAfter,
}

impl Order {
    /// What `operator` asks for; equality for every operator that orders nothing.
    pub(super) const fn of(operator: Operator) -> Self {
        match operator {
            Operator::Gt => Self::After,
            Operator::Gte => Self::NotBefore,
            Operator::Lt => Self::Before,
            Operator::Lte => Self::NotAfter,
            _ => Self::Within,
        }
    }
}

impl<T: PartialOrd> Span<T> {
    pub(super) fn holds(&self, order: Order, value: &T) -> bool {
        match order {
            Order::Within => self.first <= *value && *value <= self.last,
            Order::After => *value > self.last,
            Order::NotBefore => *value >= self.first,
            Order::Before => *value < self.first,
            Order::NotAfter => *value <= self.last,
        }
    }
}
