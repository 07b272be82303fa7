//! How far one JSON value reaches, told byte by byte without looking at what it says.

/// Down to which depth brackets are matched by kind; further down they are only counted. It is
/// the depth the JSON parser goes, so what is not matched here is refused there.
pub(super) const MATCHED_DEPTH: u32 = 128;

/// A value that has begun.
#[derive(Clone, Debug)]
pub(super) enum Extent {
    Text(Text),
    Nested(Nested),
    /// A number, `true`, `false`, `null`, or what stands in their place.
    Scalar,
}

/// What a byte is to a value that has begun before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It belongs to it, and there is more to come.
    Inside,
    /// It is its last.
    EndsWith,
    /// It comes after it.
    EndedBefore,
}

/// The inside of a string.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    escaped: bool,
}

/// The inside of an object or array.
#[derive(Clone, Debug)]
pub(super) struct Nested {
    depth: u64,
    /// One bit for each open bracket, the innermost lowest: 1 an object, 0 an array.
    kinds: u128,
    text: Option<Text>,
}

impl Extent {
    /// The value that begins with `byte`; none where no value begins.
    pub(super) fn begin(byte: u8) -> Option<Self> {
        match byte {
            b'"' => Some(Self::Text(Text::default())),
            b'{' | b'[' => {
                let kinds = u128::from(byte == b'{');
                Some(Self::Nested(Nested { depth: 1, kinds, text: None }))
            }
            b'}' | b']' | b',' | b':' => None,
            byte if is_space(byte) => None,
            _ => Some(Self::Scalar),
        }
    }

    /// Takes the next byte.
    ///
    /// # Errors
    /// When it closes a bracket that is not open: the one that would be right.
    pub(super) fn step(&mut self, byte: u8) -> Result<Reach, &'static str> {
        match self {
            Self::Text(text) => Ok(text.step(byte)),
            Self::Nested(nested) => nested.step(byte),
            Self::Scalar => Ok(match byte {
                b'{' | b'[' | b'}' | b']' | b',' | b':' | b'"' => Reach::EndedBefore,
                byte if is_space(byte) => Reach::EndedBefore,
                _ => Reach::Inside,
            }),
        }
    }

    /// How many brackets are open.
    pub(super) fn depth(&self) -> u64 {
        match self {
            Self::Nested(nested) => nested.depth,
            Self::Text(_) | Self::Scalar => 0,
        }
    }

    /// What has to come for the value to end.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Nested(Nested { text: Some(_), .. }) => "the end of a string",
            Self::Nested(nested) => nested.closing(),
            Self::Scalar => "the end of a value",
        }
    }
}

impl Text {
    pub(super) fn step(&mut self, byte: u8) -> Reach {
        if self.escaped {
            self.escaped = false;
            return Reach::Inside;
        }
        self.escaped = byte == b'\\';
        if byte == b'"' { Reach::EndsWith } else { Reach::Inside }
    }
}

impl Nested {
    fn step(&mut self, byte: u8) -> Result<Reach, &'static str> {
        if let Some(text) = &mut self.text {
            if text.step(byte) == Reach::EndsWith {
                self.text = None;
            }
            return Ok(Reach::Inside);
        }
        match byte {
            b'"' => self.text = Some(Text::default()),
            b'{' | b'[' => {
                if self.depth < u64::from(MATCHED_DEPTH) {
                    self.kinds = self.kinds << 1 | u128::from(byte == b'{');
                }
                self.depth = self.depth.saturating_add(1);
            }
            b'}' | b']' => return self.close(byte),
            _ => {}
        }
        Ok(Reach::Inside)
    }

    fn close(&mut self, byte: u8) -> Result<Reach, &'static str> {
        if self.depth <= u64::from(MATCHED_DEPTH) {
            if (self.kinds & 1 == 1) != (byte == b'}') {
                return Err(self.closing());
            }
            self.kinds >>= 1;
        }
        self.depth -= 1;
        Ok(if self.depth == 0 { Reach::EndsWith } else { Reach::Inside })
    }

    fn closing(&self) -> &'static str {
        match (self.depth > u64::from(MATCHED_DEPTH), self.kinds & 1) {
            (true, _) => "`}` or `]`",
            (false, 1) => "`}`",
            (false, _) => "`]`",
        }
    }
}

/// White space of JSON (RFC 8259, section 2).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
