//! Splitting what a client sends into the objects it carries, without reading it whole: a STIX
//! bundle or a TAXII envelope (an object with `objects`), or a bare array.
//!
//! Around the objects the JSON has to be right, and their brackets and strings have to close;
//! what is inside an object is not looked at, so that a damaged one is refused alone when it is
//! parsed. Members other than `objects` are skipped.

mod envelope;
mod error;
mod extent;
mod id;

#[cfg(test)]
mod tests;

pub use error::SplitError;

use envelope::{Envelope, Mark};

/// Bounds of a [`Splitter`].
#[derive(Clone, Copy, Debug)]
pub struct SplitLimits {
    /// How long an element may be, in bytes, to be handed out. No more of it is ever held.
    pub max_element_bytes: usize,
}

/// Takes a body in chunks of any size and hands out its elements; holds at most one.
#[derive(Debug)]
pub struct Splitter {
    limits: SplitLimits,
    envelope: Envelope,
    offset: u64,
    index: usize,
    element: Element,
    failed: Option<SplitError>,
}

/// What has been taken of the element that has begun.
#[derive(Debug)]
enum Element {
    Held(Vec<u8>),
    TooLarge { bytes: u64, id: Option<String> },
}

/// One element of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// An element, usually an object; not yet known to be valid JSON.
    Object {
        /// Its place, counted from 0.
        index: usize,
        /// Its bytes, without white space around them.
        raw: Vec<u8>,
    },
    /// An element longer than [`SplitLimits::max_element_bytes`], passed over.
    TooLarge {
        /// Its place, counted from 0.
        index: usize,
        /// Its length in bytes.
        bytes: u64,
        /// Its `id`, if that came before the limit.
        id: Option<String>,
    },
}

/// What a body was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its form.
    pub kind: Kind,
    /// How many elements it had, those too large included.
    pub count: usize,
    /// Whether there was an array of objects: false for an envelope without `objects`, which
    /// is an empty envelope, or an object sent without one.
    pub objects_seen: bool,
}

/// The forms of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object whose `type` is `bundle`.
    Bundle,
    /// Any other object.
    Envelope,
    /// An array.
    Array,
}

impl Splitter {
    /// A splitter at the beginning of a body.
    #[must_use]
    pub fn new(limits: SplitLimits) -> Self {
        Self {
            limits,
            envelope: Envelope::default(),
            offset: 0,
            index: 0,
            element: Element::Held(Vec::new()),
            failed: None,
        }
    }

    /// Takes the next bytes of the body and appends the elements that end in them to `out`.
    ///
    /// # Errors
    /// When the body cannot be split from here on, with the place counted from its beginning;
    /// what `out` holds by then stands. Every later call fails the same way.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<Piece>) -> Result<(), SplitError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let taken = self.take(chunk, out);
        self.failed = taken.clone().err();
        taken
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// When it ended too early, or had failed before.
    pub fn finish(self) -> Result<Summary, SplitError> {
        match self.failed {
            Some(error) => Err(error),
            None => self.envelope.finish(self.offset, self.index),
        }
    }

    fn take(&mut self, chunk: &[u8], out: &mut Vec<Piece>) -> Result<(), SplitError> {
        // What of this chunk belongs to an element begun in it or before it, from here on.
        let mut from = 0;
        for (at, byte) in chunk.iter().enumerate() {
            let mark = self.envelope.step(*byte, self.offset)?;
            self.offset += 1;
            match mark {
                Mark::Outside | Mark::Inside => {}
                Mark::Begins => from = at,
                Mark::EndsWith => {
                    self.hold(chunk.get(from..=at).unwrap_or_default());
                    out.push(self.piece());
                }
                Mark::EndedBefore => {
                    self.hold(chunk.get(from..at).unwrap_or_default());
                    out.push(self.piece());
                }
            }
        }
        if self.envelope.in_element() {
            self.hold(chunk.get(from..).unwrap_or_default());
        }
        Ok(())
    }

    fn hold(&mut self, bytes: &[u8]) {
        match &mut self.element {
            Element::Held(held) => {
                let room = self.limits.max_element_bytes.saturating_sub(held.len());
                if bytes.len() <= room {
                    held.extend_from_slice(bytes);
                    return;
                }
                let length = held.len().saturating_add(bytes.len());
                held.extend_from_slice(bytes.get(..room).unwrap_or_default());
                let id = id::of_beginning(held);
                self.element = Element::TooLarge { bytes: length as u64, id };
            }
            Element::TooLarge { bytes: length, .. } => *length += bytes.len() as u64,
        }
    }

    fn piece(&mut self) -> Piece {
        let index = self.index;
        self.index += 1;
        match std::mem::replace(&mut self.element, Element::Held(Vec::new())) {
            Element::Held(raw) => Piece::Object { index, raw },
            Element::TooLarge { bytes, id } => Piece::TooLarge { index, bytes, id },
        }
    }
}

/// Splits a whole body, however long its elements, into parts of it.
///
/// # Errors
/// As [`Splitter::push`] and [`Splitter::finish`].
pub fn split(body: &[u8]) -> Result<(Summary, Vec<&[u8]>), SplitError> {
    let mut envelope = Envelope::default();
    let mut pieces = Vec::new();
    let (mut offset, mut from) = (0, 0);
    for (at, byte) in body.iter().enumerate() {
        match envelope.step(*byte, offset)? {
            Mark::Outside | Mark::Inside => {}
            Mark::Begins => from = at,
            Mark::EndsWith => pieces.extend(body.get(from..=at)),
            Mark::EndedBefore => pieces.extend(body.get(from..at)),
        }
        offset += 1;
    }
    let summary = envelope.finish(offset, pieces.len())?;
    Ok((summary, pieces))
}
