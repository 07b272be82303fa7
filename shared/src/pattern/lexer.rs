//! Cuts a pattern into [`Token`]s, one at a time.

use super::error::{PatternError, Problem};
use super::literal::{is_base64, is_hex, is_timestamp};
use super::token::{Sign, Symbol, Token, begins_name, continues_name};

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Where the last token ended.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The next token and where it begins.
    pub(super) fn token(&mut self) -> Result<(usize, Token<'a>), PatternError> {
        self.skip_blanks()?;
        let start = self.at;
        let token = match self.rest().chars().next() {
            None => Token::End,
            Some('\'') => Token::Text(self.quoted()?),
            Some(c) if begins_name(c) => self.word()?,
            Some('0'..='9' | '+' | '-' | '.') => self.number_or_dot()?,
            Some(c) => {
                self.symbol().ok_or_else(|| self.error(start, Problem::StrayCharacter(c)))?
            }
        };
        Ok((start, token))
    }

    fn skip_blanks(&mut self) -> Result<(), PatternError> {
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                let inside = rest.get(2..).unwrap_or("");
                let Some(length) = inside.find("*/") else {
                    return Err(self.error(self.at, Problem::UnclosedComment));
                };
                self.at += 2 + length + 2;
            } else if rest.starts_with("//") {
                self.at += rest.find(['\r', '\n']).unwrap_or(rest.len());
            } else {
                let blanks = length_while(rest, is_blank);
                if blanks == 0 {
                    return Ok(());
                }
                self.at += blanks;
            }
        }
    }

    fn word(&mut self) -> Result<Token<'a>, PatternError> {
        let start = self.at;
        let word = self.take(length_while(self.rest(), continues_name));
        // No name can stand directly before a string, so there these letters begin a constant.
        if !self.rest().starts_with('\'') || !matches!(word, "h" | "b" | "t") {
            return Ok(Token::of_word(word));
        }
        let inside = self.quoted()?;
        let (token, well_formed, problem) = match word {
            "h" => (Token::Hex(inside), is_hex(inside), Problem::BadHex),
            "b" => (Token::Binary(inside), is_base64(inside), Problem::BadBinary),
            _ => (Token::Timestamp(inside), is_timestamp(inside), Problem::BadTimestamp),
        };
        if well_formed { Ok(token) } else { Err(self.error(start, problem)) }
    }

    /// A string; what stands between its quotes.
    fn quoted(&mut self) -> Result<&'a str, PatternError> {
        let start = self.at;
        let inside = self.rest().strip_prefix('\'').unwrap_or("");
        let mut bytes = inside.bytes().enumerate();
        while let Some((length, byte)) = bytes.next() {
            if byte == b'\'' {
                self.at += 1 + length + 1;
                return Ok(inside.get(..length).unwrap_or(""));
            }
            if byte == b'\\' && !matches!(bytes.next(), Some((_, b'\\' | b'\''))) {
                return Err(self.error(start + 1 + length, Problem::BadEscape));
            }
        }
        Err(self.error(start, Problem::UnclosedText))
    }

    fn number_or_dot(&mut self) -> Result<Token<'a>, PatternError> {
        let start = self.at;
        let sign = if self.rest().starts_with('-') { Sign::Minus } else { Sign::Plus };
        let signed = usize::from(self.rest().starts_with(['+', '-']));
        let unsigned = self.rest().get(signed..).unwrap_or("");
        let whole = length_while(unsigned, |c| c.is_ascii_digit());
        let fraction = unsigned
            .get(whole..)
            .and_then(|rest| rest.strip_prefix('.'))
            .map_or(0, |digits| length_while(digits, |c| c.is_ascii_digit()));
        let out_of_range = Problem::NumberRange;
        if fraction > 0 {
            let number = self.take(signed + whole + 1 + fraction).parse::<f64>().ok();
            let finite = number.filter(|number| number.is_finite());
            return finite
                .map(|number| Token::Float(sign, number))
                .ok_or_else(|| self.error(start, out_of_range));
        }
        if whole == 0 {
            let stray = if sign == Sign::Minus { '-' } else { '+' };
            return self.symbol().ok_or_else(|| self.error(start, Problem::StrayCharacter(stray)));
        }
        if whole > 1 && unsigned.starts_with('0') {
            return Err(self.error(start, Problem::LeadingZero));
        }
        let number = self.take(signed + whole).parse::<i64>();
        number
            .map(|number| Token::Integer(sign, number))
            .map_err(|_| self.error(start, out_of_range))
    }

    fn symbol(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let (spelling, symbol) =
            Symbol::SPELLINGS.into_iter().find(|(spelling, _)| rest.starts_with(spelling))?;
        self.at += spelling.len();
        Some(Token::Symbol(symbol))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or("");
        self.at += taken.len();
        taken
    }

    fn error(&self, offset: usize, problem: Problem) -> PatternError {
        PatternError::new(self.text, offset, problem)
    }
}

/// The bytes of the longest beginning of `text` whose characters are all `wanted`.
fn length_while(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

/// The grammar's white space; not quite Unicode's.
const fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}
