//! JSON read more strictly than `serde_json` does on its own: no member named twice, no NUL.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON value in which no object names a member twice and no string holds NUL.
///
/// Lone surrogates, bad UTF-8 and nesting past 128 levels are `serde_json`'s own errors.
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

fn without_nul<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom("a string holds NUL (\\u0000), which consumers cannot store"));
    }
    Ok(())
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        without_nul(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            without_nul(&name)?;
            if map.contains_key(&name) {
                let shown: String = name.chars().take(60).collect();
                return Err(A::Error::custom(format!("the member {shown:?} stands twice")));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// `json` without the white space between its tokens; every token keeps its spelling.
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            out.push(c);
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                in_string = false;
            }
        } else if !matches!(c, ' ' | '\t' | '\r' | '\n') {
            in_string = c == '"';
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        serde_json::from_str::<Strict>(text).map(|strict| strict.0).map_err(|e| e.to_string())
    }

    #[test]
    fn refuses_what_readers_disagree_about() {
        assert!(read(r#"{"a":1,"a":2}"#).unwrap_err().contains("stands twice"));
        assert!(read(r#"{"a":"\u0000"}"#).unwrap_err().contains("NUL"));
        assert!(read(r#"{"a":"\ud800"}"#).is_err());
        assert!(read(&"[".repeat(200)).is_err());
    }

    #[test]
    fn compacting_keeps_every_token() {
        let text = "{ \"a\" : [ 1.00 , -0, 1E5 ] ,\n\t\"b c\" : \" x \\\" y \" }";
        assert_eq!(compact(text), r#"{"a":[1.00,-0,1E5],"b c":" x \" y "}"#);
    }
}
