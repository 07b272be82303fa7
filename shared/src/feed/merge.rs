//! The last edition's records and those of what changed since, in one order.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::iter::Peekable;

use chrono::{DateTime, Utc};

use super::frame::Frame;
use super::id::IdHash;
use super::window::Window;

/// What the log last said of each object since the last edition.
#[derive(Debug, Default)]
pub struct Latest(HashMap<IdHash, u64>);

/// No position: the object has no row any more.
const GONE: u64 = 0;

impl Latest {
    /// The object's entry is the one at this position.
    pub fn stands(&mut self, id: &str, position: u64) {
        self.0.insert(IdHash::of(id), position);
    }

    /// The object left, or its entry makes no rows.
    pub fn goes(&mut self, id: &str) {
        self.0.insert(IdHash::of(id), GONE);
    }

    /// Whether the log said nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of how many objects it said something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn supersedes(&self, old: &Frame) -> bool {
        !self.0.is_empty() && self.0.contains_key(&IdHash::of(&old.id))
    }

    fn confirms(&self, new: &Frame) -> bool {
        self.0.get(&IdHash::of(&new.id)) == Some(&new.position)
    }
}

/// Merges two sequences of frames, each in the window's order. Of the old ones those go of which
/// the log said something since; of the new ones only the latest of each object stay; and what is
/// not in the window at `now` goes from both.
pub struct Merge<'a, O: Iterator, N: Iterator> {
    /// The frames of the last edition.
    pub old: Peekable<O>,
    /// The frames of what changed since.
    pub new: Peekable<N>,
    /// What the log last said of each object.
    pub latest: &'a Latest,
    /// What is in the file.
    pub window: Window,
    /// The moment of the new edition.
    pub now: DateTime<Utc>,
}

/// A frame of the new edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The frame.
    pub frame: Frame,
    /// The first moment at which it is in the file no more, in microseconds since 1970.
    pub leaves: Option<i64>,
}

impl<O, N, E> Iterator for Merge<'_, O, N>
where
    O: Iterator<Item = Result<Frame, E>>,
    N: Iterator<Item = Result<Frame, E>>,
{
    type Item = Result<Merged, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = match (self.old.peek(), self.new.peek()) {
                (Some(Ok(old)), Some(Ok(new))) => {
                    self.window.compare((old.date, &old.id), (new.date, &new.id))
                }
                (None, _) | (_, Some(Err(_))) => Ordering::Greater,
                (Some(_), _) => Ordering::Less,
            };
            let (frame, stays) = if first == Ordering::Greater {
                let frame = self.new.next()?;
                let stays = frame.as_ref().is_ok_and(|frame| self.latest.confirms(frame));
                (frame, stays)
            } else {
                let frame = self.old.next()?;
                let stays = frame.as_ref().is_ok_and(|frame| !self.latest.supersedes(frame));
                (frame, stays)
            };
            match frame {
                Err(error) => return Some(Err(error)),
                Ok(frame) if stays && self.window.holds(frame.date, frame.until, self.now) => {
                    let leaves = self.window.leaves(frame.date, frame.until);
                    return Some(Ok(Merged { frame, leaves }));
                }
                Ok(_) => {}
            }
        }
    }
}
