//! CSV as RFC 4180 has it, every field quoted, one physical line a row.

use std::borrow::Cow;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::clean::{guarded, is_formula, one_line};
use super::column::Column;
use super::definition::FeedSettings;
use super::record::{Cell, Ioc, Record};

fn writer(separator: char, quote: QuoteStyle) -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .terminator(Terminator::CRLF)
        .quote_style(quote)
        .buffer_capacity(1024)
        .flexible(true)
        .from_writer(Vec::new())
}

fn finish(writer: Writer<Vec<u8>>, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    out.extend(writer.into_inner().unwrap_or_default());
}

/// A line of names, quoted only where they must be.
pub(super) fn header<'a>(names: impl Iterator<Item = &'a str>, separator: char, out: &mut Vec<u8>) {
    let mut line = writer(separator, QuoteStyle::Necessary);
    let _ = line.write_record(names);
    finish(line, out);
}

/// A line of fields with commas between, every one quoted and on one line.
pub(super) fn fields<'a>(fields: impl Iterator<Item = Cow<'a, str>>, out: &mut Vec<u8>) {
    let mut line = writer(',', QuoteStyle::Always);
    let _ = line.write_record(fields.map(|field| one_line(&field).into_owned()));
    finish(line, out);
}

/// A row of a record with the columns of its feed.
pub(super) fn row(settings: &FeedSettings, record: &Record, ioc: &Ioc, out: &mut Vec<u8>) {
    let mut line = writer(settings.separator, QuoteStyle::Always);
    let cells = settings.columns.iter().zip(&record.cells);
    let fields = cells.map(|(column, cell)| field(settings, record, ioc, column, cell));
    let _ = line.write_record(fields.map(Cow::into_owned));
    finish(line, out);
}

fn field<'a>(
    settings: &FeedSettings,
    record: &'a Record,
    ioc: &'a Ioc,
    column: &Column,
    cell: &'a Cell,
) -> Cow<'a, str> {
    let text: Cow<'a, str> = match cell {
        Cell::Empty => "".into(),
        Cell::Text(text) | Cell::Number(text) => text.into(),
        Cell::List(entries) => entries.join(&settings.list_separator).into(),
        Cell::IocType => type_name(record, ioc).into(),
        Cell::IocValue => (&ioc.value).into(),
    };
    // An IOC is compared to the letter: nothing is ever put before it, in no column that may be
    // there for it.
    let is_attribute = matches!(column, Column::Attribute { .. });
    let free = match cell {
        Cell::IocValue => ioc.kind.is_none(),
        Cell::Number(_) | Cell::Empty | Cell::IocType => false,
        Cell::Text(text) if is_attribute && is_formula(text) => !names(record, text),
        Cell::Text(_) | Cell::List(_) => column.is_free_text(),
    };
    let line = match text {
        Cow::Borrowed(text) => one_line(text),
        Cow::Owned(text) => Cow::Owned(one_line(&text).into_owned()),
    };
    if free && settings.formula_guard { guarded(line) } else { line }
}

/// Whether a text is one of the record's IOCs.
fn names(record: &Record, text: &str) -> bool {
    record.iocs.iter().any(|ioc| ioc.kind.is_some() && ioc.value == text)
}

/// The IOC's type; of an object that names none the STIX type.
pub(super) fn type_name<'a>(record: &'a Record, ioc: &Ioc) -> &'a str {
    match ioc.kind {
        Some(kind) => kind.name(),
        None => record.id.rsplit_once("--").map_or("", |(stix_type, _)| stix_type),
    }
}
