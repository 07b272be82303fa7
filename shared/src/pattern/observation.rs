//! The grammar's outer half: observations, their operators and qualifiers.

use super::ast::{Observation, Qualifier, Seconds};
use super::error::{PatternError, Problem};
use super::parser::Parser;
use super::token::{Keyword, Sign, Symbol, Token};

/// Whether an observation stood in parentheses, which leave no node in the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Bare,
    InParentheses,
}

impl Parser<'_> {
    /// `AND` binds tighter than `OR`, `OR` tighter than `FOLLOWEDBY`.
    pub(super) fn observations(&mut self) -> Result<Observation, PatternError> {
        self.chain(Keyword::FollowedBy, Self::alternatives, Observation::FollowedBy)
    }

    fn alternatives(&mut self) -> Result<Observation, PatternError> {
        self.chain(Keyword::Or, Self::conjunction, Observation::Or)
    }

    fn conjunction(&mut self) -> Result<Observation, PatternError> {
        self.chain(Keyword::And, Self::observation, Observation::And)
    }

    fn observation(&mut self) -> Result<Observation, PatternError> {
        match self.token() {
            Token::Symbol(Symbol::OpenBracket) => {
                self.advance()?;
                let test = Observation::Test(self.comparisons()?);
                self.require_symbol(Symbol::CloseBracket, "`AND`, `OR` or `]`")?;
                self.qualified(test, Written::Bare)
            }
            Token::Symbol(Symbol::OpenParen) => {
                let inside = self.parenthesised(
                    Self::observations,
                    "`AND`, `OR`, `FOLLOWEDBY`, a qualifier (`WITHIN`, `REPEATS`, `START`) or `)`",
                )?;
                self.qualified(inside, Written::InParentheses)
            }
            _ => Err(self.unexpected("an observation, which begins with `[` or `(`")),
        }
    }

    fn qualified(
        &mut self,
        inner: Observation,
        written: Written,
    ) -> Result<Observation, PatternError> {
        let mut inner = inner;
        let mut qualifiers = Vec::new();
        loop {
            let start = self.start();
            let Some(qualifier) = self.qualifier()? else {
                break;
            };
            let name = qualifier.name();
            let repeated = matches!(inner, Observation::Test(_))
                && qualifiers.iter().any(|earlier: &Qualifier| earlier.name() == name);
            if repeated {
                if written == Written::Bare {
                    return Err(self.error(start, Problem::RepeatedQualifier(name)));
                }
                // `([…]) WITHIN 5 SECONDS WITHIN 6 SECONDS` means, and without its parentheses
                // must be written, `([…] WITHIN 5 SECONDS) WITHIN 6 SECONDS`.
                inner = Observation::Qualified { inner: Box::new(inner), qualifiers };
                qualifiers = Vec::new();
            }
            qualifiers.push(qualifier);
        }
        if qualifiers.is_empty() {
            return Ok(inner);
        }
        Ok(Observation::Qualified { inner: Box::new(inner), qualifiers })
    }

    fn qualifier(&mut self) -> Result<Option<Qualifier>, PatternError> {
        if self.takes(Keyword::Within)? {
            let seconds = self.seconds()?;
            self.require(Keyword::Seconds, "`SECONDS`")?;
            return Ok(Some(Qualifier::Within(seconds)));
        }
        if self.takes(Keyword::Repeats)? {
            let times = self.times()?;
            self.require(Keyword::Times, "`TIMES`")?;
            return Ok(Some(Qualifier::Repeats(times)));
        }
        if self.takes(Keyword::Start)? {
            let start = self.instant()?;
            self.require(Keyword::Stop, "`STOP`")?;
            let stop = self.instant()?;
            return Ok(Some(Qualifier::StartStop { start, stop }));
        }
        Ok(None)
    }

    fn seconds(&mut self) -> Result<Seconds, PatternError> {
        let seconds = match self.token() {
            Token::Integer(Sign::Plus, number) => u64::try_from(number).ok().map(Seconds::Whole),
            Token::Float(Sign::Plus, number) => Some(Seconds::Fraction(number)),
            _ => None,
        };
        let seconds =
            seconds.ok_or_else(|| self.unexpected("a number of seconds that is not negative"))?;
        self.advance()?;
        Ok(seconds)
    }

    fn times(&mut self) -> Result<u64, PatternError> {
        let times = match self.token() {
            Token::Integer(Sign::Plus, number) => u64::try_from(number).ok(),
            _ => None,
        };
        let times = times.ok_or_else(|| self.unexpected("an integer that is not negative"))?;
        self.advance()?;
        Ok(times)
    }

    fn instant(&mut self) -> Result<String, PatternError> {
        let Token::Timestamp(text) = self.token() else {
            return Err(self.unexpected("a timestamp such as t'2026-05-15T08:30:00.000Z'"));
        };
        self.advance()?;
        Ok(text.to_owned())
    }
}
