//! Query strings, decoded once from the raw text: `%2B` is a plus, a bare `+` is a space.

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// Parameters one query string may hold.
const MAX_PARAMETERS: usize = 200;

/// Why a query string cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// A parameter is not UTF-8 once decoded.
    #[error("the query parameter {0:?} is not UTF-8 once decoded")]
    Encoding(String),
    /// Too many parameters.
    #[error("more than {MAX_PARAMETERS} query parameters")]
    TooMany,
    /// A parameter that may stand once stands again.
    #[error("the query parameter `{0}` stands more than once: give it once")]
    Repeated(String),
}

/// The parameters of a request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the raw text after `?`.
    ///
    /// # Errors
    /// When it cannot be decoded, or holds too much.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        let decode = |text: &str, shown: &str| {
            let spaced = text.replace('+', " ");
            let fault = || QueryError::Encoding(shown.chars().take(40).collect());
            percent_decode_str(&spaced).decode_utf8().map(String::from).map_err(|_| fault())
        };
        let mut parameters = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            if parameters.len() >= MAX_PARAMETERS {
                return Err(QueryError::TooMany);
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name, name)?;
            let value = decode(value, &name)?;
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter that may stand once.
    ///
    /// # Errors
    /// When it stands more than once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, QueryError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(QueryError::Repeated(name.chars().take(40).collect()));
        }
        Ok(first.map(|(_, value)| value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once() {
        let query = Query::parse("a=1%2B2&b=x+y&c&match%5Bid%5D=z&&d=%2541").unwrap();
        assert_eq!(query.one("a"), Ok(Some("1+2")));
        assert_eq!(query.one("b"), Ok(Some("x y")));
        assert_eq!(query.one("c"), Ok(Some("")));
        assert_eq!(query.one("match[id]"), Ok(Some("z")));
        assert_eq!(query.one("d"), Ok(Some("%41")));
        assert_eq!(query.one("e"), Ok(None));
    }

    #[test]
    fn faults_name_the_parameter() {
        assert!(Query::parse("a=%ff").is_err());
        let twice = Query::parse("a=1&a=2").unwrap();
        assert_eq!(twice.one("a"), Err(QueryError::Repeated("a".into())));
    }
}
