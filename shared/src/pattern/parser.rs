//! The parser's hand on the text: one token of look-ahead, the depth, the errors.
//!
//! Recursive descent; `observation` and `comparison` hold the grammar's two halves.

use super::ast::Observation;
use super::error::{PatternError, Problem};
use super::lexer::Lexer;
use super::token::{Keyword, Symbol, Token};
use super::{MAX_BYTES, MAX_DEPTH};

pub(super) struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    start: usize,
    token: Token<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, PatternError> {
        if text.len() > MAX_BYTES {
            let end = text.floor_char_boundary(MAX_BYTES);
            return Err(PatternError::new(text, end, Problem::TooLong(text.len())));
        }
        let mut lexer = Lexer::new(text);
        let (start, token) = lexer.token()?;
        Ok(Self { text, lexer, start, token, depth: 0 })
    }

    /// The whole text as one pattern.
    pub(super) fn pattern(mut self) -> Result<Observation, PatternError> {
        let root = self.observations()?;
        if self.token == Token::End {
            return Ok(root);
        }
        Err(self.unexpected(
            "`AND`, `OR`, `FOLLOWEDBY`, a qualifier (`WITHIN`, `REPEATS`, `START`) or the end",
        ))
    }

    /// The token to be read next.
    pub(super) const fn token(&self) -> Token<'a> {
        self.token
    }

    pub(super) fn advance(&mut self) -> Result<(), PatternError> {
        (self.start, self.token) = self.lexer.token()?;
        Ok(())
    }

    /// Takes `keyword` if it is next.
    pub(super) fn takes(&mut self, keyword: Keyword) -> Result<bool, PatternError> {
        let is_next = self.token == Token::Keyword(keyword);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    /// Takes `symbol` if it is next.
    pub(super) fn takes_symbol(&mut self, symbol: Symbol) -> Result<bool, PatternError> {
        let is_next = self.token == Token::Symbol(symbol);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    pub(super) fn require(
        &mut self,
        keyword: Keyword,
        expected: &'static str,
    ) -> Result<(), PatternError> {
        if self.takes(keyword)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    pub(super) fn require_symbol(
        &mut self,
        symbol: Symbol,
        expected: &'static str,
    ) -> Result<(), PatternError> {
        if self.takes_symbol(symbol)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Takes the parenthesis that is next, what `inside` reads, and the closing one.
    pub(super) fn parenthesised<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, PatternError>,
        expected_at_end: &'static str,
    ) -> Result<T, PatternError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(self.start, Problem::TooDeep));
        }
        self.advance()?;
        self.depth += 1;
        let value = inside(self)?;
        self.require_symbol(Symbol::CloseParen, expected_at_end)?;
        self.depth -= 1;
        Ok(value)
    }

    /// What `part` reads, once or more with `keyword` between.
    pub(super) fn chain<T>(
        &mut self,
        keyword: Keyword,
        part: impl Fn(&mut Self) -> Result<T, PatternError>,
        join: impl FnOnce(Vec<T>) -> T,
    ) -> Result<T, PatternError> {
        let first = part(self)?;
        if self.token != Token::Keyword(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.takes(keyword)? {
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }

    /// Where the next token begins.
    pub(super) const fn start(&self) -> usize {
        self.start
    }

    pub(super) fn error(&self, offset: usize, problem: Problem) -> PatternError {
        PatternError::new(self.text, offset, problem)
    }

    /// The error that the next token cannot stand here.
    pub(super) fn unexpected(&self, expected: &'static str) -> PatternError {
        const SHOWN: usize = 40;
        let found = match self.text.get(self.start..self.lexer.at()) {
            None | Some("") => "the end of the pattern".to_owned(),
            Some(word) if word.chars().nth(SHOWN).is_some() => {
                format!("`{}…`", word.chars().take(SHOWN).collect::<String>())
            }
            Some(word) => format!("`{word}`"),
        };
        self.error(self.start, Problem::Unexpected { expected, found })
    }
}
