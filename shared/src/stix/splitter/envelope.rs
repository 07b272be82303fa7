//! The JSON around the objects, byte by byte: where each element begins and ends.

use serde::de::IgnoredAny;

use super::error::SplitError;
use super::extent::{Extent, MATCHED_DEPTH, Reach, Text, is_space};
use super::{Kind, Summary};

/// The mark some writers put before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// How much of a member's name or plain value is looked at. `objects` and `bundle` with every
/// letter escaped, and every number worth skipping, are shorter.
const MAX_TOKEN_BYTES: usize = 256;

/// What a byte is to the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It belongs to none.
    Outside,
    /// An element begins with it.
    Begins,
    /// It belongs to the element that has begun.
    Inside,
    /// It is the last of an element.
    EndsWith,
    /// It belongs to none, and the element ended just before it.
    EndedBefore,
}

/// Where in the JSON the next byte is.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    state: State,
    kind: Option<Kind>,
    member: Member,
    objects_seen: bool,
    /// The member name or plain member value being read, as far as it is looked at.
    token: Vec<u8>,
}

#[derive(Clone, Debug)]
enum State {
    /// Before everything; so many bytes of the byte order mark have come.
    Start(usize),
    NameOrEnd,
    Name,
    InName(Text),
    Colon,
    Value,
    InValue(Extent),
    AfterValue,
    ElementOrEnd,
    Element,
    InElement(Extent),
    AfterElement,
    End,
}

impl Default for State {
    fn default() -> Self {
        Self::Start(0)
    }
}

/// Which member of the envelope is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Member {
    Objects,
    Type,
    #[default]
    Other,
}

impl Envelope {
    /// Takes the byte at `offset`.
    pub(super) fn step(&mut self, byte: u8, offset: u64) -> Result<Mark, SplitError> {
        match &mut self.state {
            State::InElement(extent) => {
                let reach = extent
                    .step(byte)
                    .map_err(|expected| SplitError::Malformed { offset, expected })?;
                return match reach {
                    Reach::Inside => Ok(Mark::Inside),
                    Reach::EndsWith => {
                        self.state = State::AfterElement;
                        Ok(Mark::EndsWith)
                    }
                    Reach::EndedBefore => {
                        self.state = State::AfterElement;
                        self.between(byte, offset)?;
                        Ok(Mark::EndedBefore)
                    }
                };
            }
            State::InValue(_) => self.in_value(byte, offset)?,
            State::InName(_) => self.in_name(byte, offset)?,
            _ => return self.between(byte, offset),
        }
        Ok(Mark::Outside)
    }

    /// Whether an element has begun and not ended.
    pub(super) fn in_element(&self) -> bool {
        matches!(self.state, State::InElement(_))
    }

    /// What the body was, when it ends at `offset` after `count` elements.
    pub(super) fn finish(&self, offset: u64, count: usize) -> Result<Summary, SplitError> {
        match (&self.state, self.kind) {
            (State::End, Some(kind)) => {
                Ok(Summary { kind, count, objects_seen: self.objects_seen })
            }
            (State::Start(_), _) | (_, None) => Err(SplitError::NoEnvelope { offset }),
            (state, _) => Err(SplitError::EndsEarly { offset, expected: state.expected() }),
        }
    }

    /// A byte that is in no string, value or element.
    fn between(&mut self, byte: u8, offset: u64) -> Result<Mark, SplitError> {
        if let State::Start(marks) = self.state {
            self.start(byte, marks, offset)?;
            return Ok(Mark::Outside);
        }
        if is_space(byte) {
            return Ok(Mark::Outside);
        }
        let next = match (&self.state, byte) {
            (State::End, _) => return Err(SplitError::AfterEnd { offset }),
            (State::NameOrEnd | State::Name, b'"') => {
                self.token.clear();
                self.token.push(byte);
                State::InName(Text::default())
            }
            (State::NameOrEnd | State::AfterValue, b'}') => State::End,
            (State::Colon, b':') => State::Value,
            (State::Value, _) => self.value(byte, offset)?,
            (State::AfterValue, b',') => State::Name,
            (State::AfterElement, b',') => State::Element,
            (State::ElementOrEnd | State::AfterElement, b']') => match self.kind {
                Some(Kind::Array) => State::End,
                _ => State::AfterValue,
            },
            (State::ElementOrEnd | State::Element, _) => match Extent::begin(byte) {
                Some(extent) => {
                    self.state = State::InElement(extent);
                    return Ok(Mark::Begins);
                }
                None => return Err(self.malformed(offset)),
            },
            _ => return Err(self.malformed(offset)),
        };
        self.state = next;
        Ok(Mark::Outside)
    }

    fn start(&mut self, byte: u8, marks: usize, offset: u64) -> Result<(), SplitError> {
        let begun = marks > 0 && marks < BYTE_ORDER_MARK.len();
        if (begun || offset == 0) && BYTE_ORDER_MARK.get(marks) == Some(&byte) {
            self.state = State::Start(marks + 1);
            return Ok(());
        }
        match byte {
            _ if begun => return Err(SplitError::NoEnvelope { offset: 0 }),
            byte if is_space(byte) => {}
            b'{' => {
                self.kind = Some(Kind::Envelope);
                self.state = State::NameOrEnd;
            }
            b'[' => {
                self.kind = Some(Kind::Array);
                self.objects_seen = true;
                self.state = State::ElementOrEnd;
            }
            _ => return Err(SplitError::NoEnvelope { offset }),
        }
        Ok(())
    }

    /// The first byte of a member's value.
    fn value(&mut self, byte: u8, offset: u64) -> Result<State, SplitError> {
        if self.member == Member::Objects {
            if byte != b'[' {
                return Err(SplitError::ObjectsNotArray { offset });
            }
            self.objects_seen = true;
            return Ok(State::ElementOrEnd);
        }
        let extent = Extent::begin(byte).ok_or_else(|| self.malformed(offset))?;
        self.token.clear();
        self.token.push(byte);
        Ok(State::InValue(extent))
    }

    fn in_name(&mut self, byte: u8, offset: u64) -> Result<(), SplitError> {
        self.look_at(byte);
        let State::InName(text) = &mut self.state else { return Ok(()) };
        if text.step(byte) != Reach::EndsWith {
            return Ok(());
        }
        self.member = match self.token_text().as_deref() {
            Some("objects") if self.objects_seen => {
                return Err(SplitError::ObjectsTwice { offset });
            }
            Some("objects") => Member::Objects,
            Some("type") => Member::Type,
            _ => Member::Other,
        };
        self.state = State::Colon;
        Ok(())
    }

    fn in_value(&mut self, byte: u8, offset: u64) -> Result<(), SplitError> {
        let State::InValue(extent) = &mut self.state else { return Ok(()) };
        let reach =
            extent.step(byte).map_err(|expected| SplitError::Malformed { offset, expected })?;
        if extent.depth() > u64::from(MATCHED_DEPTH) {
            return Err(SplitError::TooDeep { offset, max: MATCHED_DEPTH });
        }
        let plain = matches!(extent, Extent::Scalar);
        match reach {
            Reach::Inside => self.look_at(byte),
            Reach::EndsWith => {
                self.look_at(byte);
                if self.member == Member::Type && self.token_text().as_deref() == Some("bundle") {
                    self.kind = Some(Kind::Bundle);
                }
                self.state = State::AfterValue;
            }
            Reach::EndedBefore => {
                if plain && self.token_is_no_json() {
                    return Err(SplitError::Malformed { offset, expected: "a value before this" });
                }
                self.state = State::AfterValue;
                self.between(byte, offset)?;
            }
        }
        Ok(())
    }

    fn look_at(&mut self, byte: u8) {
        if self.token.len() < MAX_TOKEN_BYTES {
            self.token.push(byte);
        }
    }

    /// The string that was read, unless it is too long to be one of those that matter.
    fn token_text(&self) -> Option<String> {
        serde_json::from_slice(&self.token).ok()
    }

    /// Whether what was read cannot be a value; a longer one than is looked at can be.
    fn token_is_no_json(&self) -> bool {
        self.token.len() < MAX_TOKEN_BYTES
            && serde_json::from_slice::<IgnoredAny>(&self.token).is_err()
    }

    fn malformed(&self, offset: u64) -> SplitError {
        SplitError::Malformed { offset, expected: self.state.expected() }
    }
}

impl State {
    fn expected(&self) -> &'static str {
        match self {
            Self::Start(_) => "`{` or `[`",
            Self::NameOrEnd => "the name of a member, or `}`",
            Self::Name => "the name of a member",
            Self::InName(_) => "the end of a string",
            Self::Colon => "`:`",
            Self::Value => "a value",
            Self::InValue(extent) | Self::InElement(extent) => extent.expected(),
            Self::AfterValue => "`,` or `}`",
            Self::ElementOrEnd => "an object, or `]`",
            Self::Element => "an object",
            Self::AfterElement => "`,` or `]`",
            Self::End => "nothing",
        }
    }
}
