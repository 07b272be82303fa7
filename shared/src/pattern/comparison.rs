//! The grammar's inner half: comparisons, object paths and constants.

use super::ast::{Comparison, Literal, ObjectPath, Predicate, Relation, Step, TextOperator};
use super::error::PatternError;
use super::literal::unescape;
use super::parser::Parser;
use super::token::{Keyword, Symbol, Token};

impl Parser<'_> {
    pub(super) fn comparisons(&mut self) -> Result<Comparison, PatternError> {
        self.chain(Keyword::Or, Self::all_of, Comparison::Or)
    }

    fn all_of(&mut self) -> Result<Comparison, PatternError> {
        self.chain(Keyword::And, Self::comparison, Comparison::And)
    }

    fn comparison(&mut self) -> Result<Comparison, PatternError> {
        match self.token() {
            Token::Symbol(Symbol::OpenParen) => {
                self.parenthesised(Self::comparisons, "`AND`, `OR` or `)`")
            }
            Token::Keyword(Keyword::Not | Keyword::Exists) => {
                let negated = self.takes(Keyword::Not)?;
                self.require(
                    Keyword::Exists,
                    "`EXISTS`, for of all operators only this one stands before the path",
                )?;
                Ok(Comparison::Exists { path: self.object_path()?, negated })
            }
            _ => {
                let path = self.object_path()?;
                let negated = self.takes(Keyword::Not)?;
                Ok(Comparison::Test { path, negated, predicate: self.predicate()? })
            }
        }
    }

    fn predicate(&mut self) -> Result<Predicate, PatternError> {
        if let Some(relation) = self.relation() {
            self.advance()?;
            let ordering = !matches!(relation, Relation::Equal | Relation::NotEqual);
            if ordering && matches!(self.token(), Token::Boolean(_)) {
                return Err(self.unexpected("a constant that has an order: `=` or `!=` fits this"));
            }
            return Ok(Predicate::Relation(relation, self.literal()?));
        }
        if self.takes(Keyword::In)? {
            return Ok(Predicate::In(self.set()?));
        }
        if let Some(operator) = self.text_operator() {
            self.advance()?;
            return Ok(Predicate::Text(operator, self.string()?));
        }
        Err(self.unexpected(
            "an operator: `=`, `!=`, `<`, `<=`, `>`, `>=`, `IN`, `LIKE`, `MATCHES`, \
             `ISSUBSET` or `ISSUPERSET`",
        ))
    }

    fn relation(&self) -> Option<Relation> {
        Some(match self.token() {
            Token::Symbol(Symbol::Equal) => Relation::Equal,
            Token::Symbol(Symbol::NotEqual) => Relation::NotEqual,
            Token::Symbol(Symbol::Less) => Relation::Less,
            Token::Symbol(Symbol::LessOrEqual) => Relation::LessOrEqual,
            Token::Symbol(Symbol::Greater) => Relation::Greater,
            Token::Symbol(Symbol::GreaterOrEqual) => Relation::GreaterOrEqual,
            _ => return None,
        })
    }

    fn text_operator(&self) -> Option<TextOperator> {
        Some(match self.token() {
            Token::Keyword(Keyword::Like) => TextOperator::Like,
            Token::Keyword(Keyword::Matches) => TextOperator::Matches,
            Token::Keyword(Keyword::IsSubset) => TextOperator::IsSubset,
            Token::Keyword(Keyword::IsSuperset) => TextOperator::IsSuperset,
            _ => return None,
        })
    }

    fn set(&mut self) -> Result<Vec<Literal>, PatternError> {
        self.require_symbol(Symbol::OpenParen, "`(` and a list of constants")?;
        let mut members = Vec::new();
        if self.takes_symbol(Symbol::CloseParen)? {
            return Ok(members);
        }
        loop {
            members.push(self.literal()?);
            if !self.takes_symbol(Symbol::Comma)? {
                self.require_symbol(Symbol::CloseParen, "`,` or `)`")?;
                return Ok(members);
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, PatternError> {
        let literal = match self.token() {
            Token::Text(raw) => Literal::Text(unescape(raw)),
            Token::Integer(_, number) => Literal::Integer(number),
            Token::Float(_, number) => Literal::Float(number),
            Token::Boolean(value) => Literal::Boolean(value),
            Token::Hex(digits) => Literal::Hex(digits.to_owned()),
            Token::Binary(base64) => Literal::Binary(base64.to_owned()),
            Token::Timestamp(text) => Literal::Timestamp(text.to_owned()),
            _ => {
                return Err(self.unexpected(
                    "a constant: a string in single quotes, a number, true, false, h'…', \
                     b'…' or t'…'",
                ));
            }
        };
        self.advance()?;
        Ok(literal)
    }

    fn string(&mut self) -> Result<String, PatternError> {
        let Token::Text(raw) = self.token() else {
            return Err(self.unexpected("a string in single quotes"));
        };
        self.advance()?;
        Ok(unescape(raw))
    }

    fn object_path(&mut self) -> Result<ObjectPath, PatternError> {
        let (Token::Name(object_type) | Token::HyphenatedName(object_type)) = self.token() else {
            return Err(self.unexpected("an object path such as file:name"));
        };
        self.advance()?;
        self.require_symbol(Symbol::Colon, "`:` between object type and property")?;
        let mut steps = vec![self.key()?];
        loop {
            if self.takes_symbol(Symbol::Dot)? {
                steps.push(self.key()?);
            } else if self.takes_symbol(Symbol::OpenBracket)? {
                steps.push(self.index()?);
                self.require_symbol(Symbol::CloseBracket, "`]`")?;
            } else {
                return Ok(ObjectPath { object_type: object_type.to_owned(), steps });
            }
        }
    }

    fn key(&mut self) -> Result<Step, PatternError> {
        let key = match self.token() {
            Token::Name(name) => name.to_owned(),
            Token::Text(raw) => unescape(raw),
            _ => {
                return Err(self.unexpected(
                    "a property name (one with a hyphen and a reserved word stand in \
                     quotes, as in hashes.'SHA-256')",
                ));
            }
        };
        self.advance()?;
        Ok(Step::Key(key))
    }

    fn index(&mut self) -> Result<Step, PatternError> {
        let step = match self.token() {
            Token::Integer(_, number) => Step::Index(number),
            Token::Symbol(Symbol::Asterisk) => Step::Any,
            _ => return Err(self.unexpected("an index: an integer or `*`")),
        };
        self.advance()?;
        Ok(step)
    }
}
