//! The words of a pattern.

/// One word, number, constant or sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// A name without hyphen that is no keyword.
    Name(&'a str),
    /// A name with at least one hyphen: an object type.
    HyphenatedName(&'a str),
    Keyword(Keyword),
    Boolean(bool),
    Integer(Sign, i64),
    Float(Sign, f64),
    /// What stands between the quotes, escapes and all.
    Text(&'a str),
    Hex(&'a str),
    Binary(&'a str),
    Timestamp(&'a str),
    Symbol(Symbol),
    End,
}

/// Whether a number was written with `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// The signs that are not part of a name or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Colon,
    Dot,
    Comma,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    Asterisk,
}

impl Symbol {
    /// Every spelling, the longer before the shorter it begins with.
    pub(super) const SPELLINGS: [(&'static str, Self); 16] = [
        ("==", Self::Equal),
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<>", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        ("<", Self::Less),
        (">=", Self::GreaterOrEqual),
        (">", Self::Greater),
        (":", Self::Colon),
        (".", Self::Dot),
        (",", Self::Comma),
        ("(", Self::OpenParen),
        (")", Self::CloseParen),
        ("[", Self::OpenBracket),
        ("]", Self::CloseBracket),
        ("*", Self::Asterisk),
    ];
}

/// The reserved words, upper case only. `LAST` is reserved and used by nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    FollowedBy,
    Like,
    Matches,
    IsSuperset,
    IsSubset,
    Exists,
    Last,
    In,
    Start,
    Stop,
    Seconds,
    Within,
    Repeats,
    Times,
}

impl Keyword {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "AND" => Self::And,
            "OR" => Self::Or,
            "NOT" => Self::Not,
            "FOLLOWEDBY" => Self::FollowedBy,
            "LIKE" => Self::Like,
            "MATCHES" => Self::Matches,
            "ISSUPERSET" => Self::IsSuperset,
            "ISSUBSET" => Self::IsSubset,
            "EXISTS" => Self::Exists,
            "LAST" => Self::Last,
            "IN" => Self::In,
            "START" => Self::Start,
            "STOP" => Self::Stop,
            "SECONDS" => Self::Seconds,
            "WITHIN" => Self::Within,
            "REPEATS" => Self::Repeats,
            "TIMES" => Self::Times,
            _ => return None,
        })
    }
}

impl<'a> Token<'a> {
    /// What `word`, made of letters, digits, `_` and `-`, is.
    pub(super) fn of_word(word: &'a str) -> Self {
        match word {
            "true" => Self::Boolean(true),
            "false" => Self::Boolean(false),
            _ if word.contains('-') => Self::HyphenatedName(word),
            _ => Keyword::of(word).map_or(Self::Name(word), Self::Keyword),
        }
    }
}

/// Whether a property of this name can stand in a path without quotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.starts_with(begins_name)
        && name.chars().all(continues_name)
        && matches!(Token::of_word(name), Token::Name(_))
}

pub(super) const fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub(super) const fn continues_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
