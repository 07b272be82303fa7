//! Files dropped into the bucket: a name that tells the format, and bytes.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ingest_drop::elements::Elements;
use ingest_drop::format::{Format, Text};
use shared::ingestion::Candidate;
use tokio::io::{AsyncRead, ReadBuf};

use super::chunks;

/// What is read of a file's text: a small file may expand to a very large one.
const TEXT_BYTES: usize = 256 * 1024;

/// The first line of the input is the file's name, the rest its bytes. The file gives the same
/// candidates however its text arrives, each in a place of its own.
pub fn drop(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (name, bytes) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let name = String::from_utf8_lossy(name);
    let Some(format) = Format::of(&name) else { return };
    assert_eq!(Format::of(&name.to_ascii_uppercase()), Some(format));
    let Some(text) = text(format, bytes) else { return };

    let (whole, end) = candidates(format, std::iter::once(text.as_slice()));
    if let Err(fault) = &end {
        super::check_message(fault);
    }
    for most in [1, 64] {
        let (pieces, ended) = candidates(format, chunks::of(&text, most));
        assert_eq!((pieces, &ended), (whole.clone(), &end), "in pieces of up to {most}");
    }
    assert!(whole.is_sorted_by(|(one, _), (next, _)| one < next), "two candidates in one place");
    if format.text == Text::Json && end.is_ok() {
        let places = whole.iter().map(|(place, _)| *place);
        assert!(places.eq(0..whole.len()), "a place was passed over");
    }
}

/// The file's text as far as it is looked at; none if it cannot be expanded.
fn text(format: Format, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = format.reader(bytes);
    let mut context = Context::from_waker(Waker::noop());
    let mut text = Vec::new();
    let mut room = [0; 4096];
    while text.len() < TEXT_BYTES {
        let mut read = ReadBuf::new(&mut room);
        match Pin::new(&mut reader).poll_read(&mut context, &mut read) {
            Poll::Ready(Ok(())) if read.filled().is_empty() => break,
            Poll::Ready(Ok(())) => text.extend_from_slice(read.filled()),
            Poll::Ready(Err(_)) => return None,
            Poll::Pending => panic!("a file in memory is always there"),
        }
    }
    Some(text)
}

type Found = Vec<(usize, String)>;

fn candidates<'a>(
    format: Format,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Found, Result<(), String>) {
    let mut elements = Elements::new(format);
    let mut found = Vec::new();
    let read = || {
        for piece in pieces {
            elements.push(piece, &mut found)?;
        }
        elements.finish(&mut found)
    };
    let end = read();
    (found.into_iter().map(|(place, candidate)| (place, shown(candidate))).collect(), end)
}

/// The candidate without the time it was read at, which stands in for a version.
fn shown(candidate: Candidate) -> String {
    match candidate {
        Candidate::Object(object) => object.json,
        Candidate::Ioc(ioc) => format!("{ioc:?}"),
        Candidate::Refused(refused) => {
            super::check_message(&refused.why.to_string());
            format!("{refused:?}")
        }
    }
}
