//! Reading one value of a condition into the question it asks.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::OPERATOR;
use super::authors::{AuthorIds, author_id};
use super::condition::{End, EndProbe, NumberField, PhaseProbe, Probe, TextField, TimeField};
use super::entity_type::TypeSet;
use super::error::{FilterError, cut, listed};
use super::key::Key;
use super::operator::Operator;
use super::span::{Order, Span};
use super::text::{TextProbe, TextTest, fold};
use crate::id::ObjectId;
use crate::stix::IocType;
use crate::time::parse_instant;
use crate::tlp::Tlp;

/// The question `value` asks about `key`.
pub(super) fn probe(
    key: Key,
    operator: Operator,
    value: &str,
    authors: &AuthorIds,
) -> Result<Probe, FilterError> {
    let trimmed = value.trim();
    let refused = |expected: String| FilterError::BadValue { key, value: cut(value), expected };
    if trimmed.is_empty() {
        return Err(refused("a value that is not empty, or the operator nil".to_owned()));
    }
    let read = match key {
        Key::EntityType => {
            TypeSet::named(trimmed).map(Probe::EntityType).ok_or_else(TypeSet::expected)
        }
        Key::Label => label(operator, trimmed),
        Key::PatternType => Ok(text(TextField::PatternType, operator, trimmed)),
        Key::IndicatorType => Ok(text(TextField::IndicatorType, operator, trimmed)),
        Key::IocValue => Ok(text(TextField::IocValue, operator, trimmed)),
        Key::Name => Ok(text(TextField::Name, operator, trimmed)),
        Key::RelationshipType => Ok(text(TextField::RelationshipType, operator, trimmed)),
        Key::Confidence => confidence(trimmed)
            .map(|span| Probe::Number(NumberField::Confidence, Order::of(operator), span)),
        Key::Score => {
            whole(trimmed).map(|span| Probe::Number(NumberField::Score, Order::of(operator), span))
        }
        Key::Created => time(TimeField::Created, operator, trimmed),
        Key::Modified => time(TimeField::Modified, operator, trimmed),
        Key::ValidUntil => time(TimeField::ValidUntil, operator, trimmed),
        Key::Marking => marking(trimmed),
        Key::Author => return author(trimmed, authors, refused),
        Key::IocType => ioc_type(trimmed),
        Key::KillChainPhase => Ok(phase(trimmed)),
        Key::MitreAttack => technique(trimmed),
        Key::Revoked => revoked(trimmed),
        Key::Id => id(trimmed).map(Probe::Id),
        Key::Source => end(End::Source, trimmed),
        Key::Target => end(End::Target, trimmed),
        Key::From => end(End::From, trimmed),
        Key::To => end(End::To, trimmed),
        Key::Owner => owner(operator, trimmed),
    };
    read.map_err(refused)
}

type Read = Result<Probe, String>;

fn text(field: TextField, operator: Operator, value: &str) -> Probe {
    let test = match operator {
        Operator::Contains | Operator::NotContains => TextTest::Contains,
        Operator::StartsWith => TextTest::StartsWith,
        Operator::EndsWith => TextTest::EndsWith,
        _ => TextTest::Equals,
    };
    Probe::Text(field, TextProbe::new(test, value))
}

fn label(operator: Operator, value: &str) -> Read {
    // OpenCTI exports labels by the ids it has for them; objects carry their texts.
    let by_id = value.parse::<ObjectId>().is_ok_and(|id| id.object_type() == "label");
    if by_id {
        return Err("the text of a label; objects do not carry the ids of labels".to_owned());
    }
    Ok(text(TextField::Label, operator, value))
}

fn whole(value: &str) -> Result<Span<i64>, String> {
    let number: i64 = value.parse().map_err(|_| "a whole number".to_owned())?;
    Ok(Span { first: number, last: number })
}

fn confidence(value: &str) -> Result<Span<i64>, String> {
    match value.to_ascii_lowercase().as_str() {
        "low" => return Ok(Span { first: 0, last: 29 }),
        "medium" => return Ok(Span { first: 30, last: 69 }),
        "high" => return Ok(Span { first: 70, last: 100 }),
        _ => {}
    }
    whole(value)
        .ok()
        .filter(|span| (0..=100).contains(&span.first))
        .ok_or_else(|| "a whole number from 0 to 100, or low, medium or high".to_owned())
}

fn time(field: TimeField, operator: Operator, value: &str) -> Read {
    let span = instant(value).or_else(|| day(value)).ok_or_else(|| {
        "a time such as 2026-05-15T08:30:00Z, or a date such as 2026-05-15".to_owned()
    })?;
    Ok(Probe::Time(field, Order::of(operator), span))
}

fn instant(value: &str) -> Option<Span<DateTime<Utc>>> {
    let at = parse_instant(value).ok()?.to_utc();
    Some(Span { first: at, last: at })
}

/// A date is the whole day in UTC, its leap second included.
fn day(value: &str) -> Option<Span<DateTime<Utc>>> {
    let written = value.len() == 10 && value.starts_with(|c: char| c.is_ascii_digit());
    let date = written.then(|| NaiveDate::parse_from_str(value, "%Y-%m-%d").ok()).flatten()?;
    let last = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_999_999_999)?;
    Some(Span {
        first: date.and_time(NaiveTime::MIN).and_utc(),
        last: date.and_time(last).and_utc(),
    })
}

fn marking(value: &str) -> Read {
    if let Ok(level) = value.parse::<Tlp>() {
        return Ok(Probe::Level(level));
    }
    id(value)
        .ok()
        .filter(|id| id.object_type() == "marking-definition")
        .map(Probe::Marking)
        .ok_or_else(|| {
            let levels = Tlp::ALL.map(|level| format!("TLP:{}", level.name().to_uppercase()));
            format!("{} or the id of a marking-definition", levels.join(", "))
        })
}

fn author(
    value: &str,
    authors: &AuthorIds,
    refused: impl Fn(String) -> FilterError,
) -> Result<Probe, FilterError> {
    if let Some(id) = author_id(value) {
        if id.object_type() != "identity" {
            return Err(refused("the id or the name of an identity".to_owned()));
        }
        return Ok(Probe::Author([id].into()));
    }
    match authors.of(value) {
        [] => Err(FilterError::UnknownAuthor(cut(value))),
        ids => Ok(Probe::Author(ids.into())),
    }
}

fn ioc_type(value: &str) -> Read {
    value
        .parse()
        .map(Probe::IocType)
        .map_err(|_| listed(IocType::ALL.iter().map(|kind| kind.name())))
}

fn phase(value: &str) -> Probe {
    let of_chain =
        value.split_once(['/', ':']).map(|(chain, phase)| (fold(chain).into(), fold(phase).into()));
    Probe::Phase(PhaseProbe { phase: fold(value).into(), of_chain })
}

fn technique(value: &str) -> Read {
    let upper = value.to_ascii_uppercase();
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let well_formed = upper.strip_prefix('T').is_some_and(|number| match number.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(number, 4),
    });
    if !well_formed {
        return Err("the id of a technique such as T1059 or T1059.001".to_owned());
    }
    Ok(Probe::Technique(upper.into()))
}

fn revoked(value: &str) -> Read {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(Probe::Revoked(true)),
        "false" => Ok(Probe::Revoked(false)),
        _ => Err("true or false".to_owned()),
    }
}

fn id(value: &str) -> Result<ObjectId, String> {
    value.to_ascii_lowercase().parse().map_err(|_| {
        "the id of an object, such as malware--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69".to_owned()
    })
}

fn end(end: End, value: &str) -> Read {
    if let Ok(id) = id(value) {
        return Ok(Probe::End(end, EndProbe::Id(id)));
    }
    TypeSet::named(value)
        .map(|types| Probe::End(end, EndProbe::Type(types)))
        .ok_or_else(|| format!("the id of an object, {}", TypeSet::expected()))
}

/// A tenant id is compared exactly: who may put something in must not hang on letter case.
fn owner(operator: Operator, value: &str) -> Read {
    match (value.to_ascii_lowercase().as_str(), operator) {
        ("any", Operator::NotEq) => Err(format!("{OPERATOR} or the id of a tenant")),
        ("any", _) => Ok(Probe::AnyOwner),
        (OPERATOR, _) => Ok(Probe::Owner(OPERATOR.into())),
        _ => Ok(Probe::Owner(value.into())),
    }
}
