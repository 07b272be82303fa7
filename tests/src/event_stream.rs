//! A live stream as a strict reader takes it: every frame is of the form promised, or the test
//! fails.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use crate::patience::DEADLINE;
use crate::runtime_api::Streamed;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// `id`
    pub id: String,
    /// `event`
    pub event: String,
    /// `data`, as JSON.
    pub data: Value,
    /// `retry`, in milliseconds.
    pub retry: Option<u64>,
}

impl Frame {
    fn parse(text: &str) -> Self {
        let mut frame =
            Self { id: String::new(), event: String::new(), data: Value::Null, retry: None };
        let mut lines = 0;
        for line in text.split('\n') {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("line {line:?}"));
            lines += 1;
            match name {
                "id" => value.clone_into(&mut frame.id),
                "event" => value.clone_into(&mut frame.event),
                "data" => frame.data = serde_json::from_str(value).expect("data is JSON"),
                "retry" => frame.retry = Some(value.parse().expect("retry is a number")),
                _ => panic!("a line that is none of a frame's: {line:?}"),
            }
        }
        let expected = 3 + usize::from(frame.retry.is_some());
        assert_eq!(lines, expected, "one id, one event, one line of data: {text:?}");
        assert!(!frame.id.is_empty() && !frame.event.is_empty(), "{text:?}");
        frame
    }

    /// The frames of a whole body.
    pub fn all_of(body: &str) -> Vec<Self> {
        body.split_terminator("\n\n").map(Self::parse).collect()
    }

    /// The id as two numbers.
    pub fn id_parts(&self) -> (u64, u64) {
        let (ms, n) = self.id.split_once('-').unwrap_or_else(|| panic!("id {}", self.id));
        (ms.parse().unwrap(), n.parse().unwrap())
    }

    /// Whether it is about an object.
    pub fn is_event(&self) -> bool {
        matches!(self.event.as_str(), "create" | "update" | "delete")
    }

    /// The event's name and the id of its object.
    pub fn said(&self) -> (String, String) {
        (self.event.clone(), self.object_id().to_owned())
    }

    /// The id of the object it is about.
    pub fn object_id(&self) -> &str {
        self.data["data"]["id"].as_str().unwrap_or_default()
    }
}

enum Source {
    Http(Incoming),
    Function(Streamed),
}

/// An open stream.
pub struct EventStream {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    what: String,
    source: Source,
    buffer: Vec<u8>,
}

impl EventStream {
    pub(crate) fn of_http(what: String, answer: Response<Incoming>) -> Self {
        let (parts, body) = answer.into_parts();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Self { status, headers, what, source: Source::Http(body), buffer: Vec::new() }
    }

    pub(crate) fn of_function(what: &str, streamed: Streamed) -> Self {
        let status = streamed.prelude["statusCode"].as_u64().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in streamed.prelude["headers"].as_object().into_iter().flatten() {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
        }
        Self {
            status: u16::try_from(status).unwrap(),
            headers,
            what: what.to_owned(),
            source: Source::Function(streamed),
            buffer: Vec::new(),
        }
    }

    async fn piece(&mut self) -> Option<Bytes> {
        match &mut self.source {
            Source::Http(body) => loop {
                let frame = body.frame().await?;
                let frame = frame.unwrap_or_else(|e| panic!("{}: {e}", self.what));
                if let Ok(data) = frame.into_data() {
                    return Some(data);
                }
            },
            Source::Function(streamed) => streamed.pieces.recv().await,
        }
    }

    /// The next frame; none when the stream ends, which it may do only between two frames.
    pub async fn next(&mut self) -> Option<Frame> {
        let what = self.what.clone();
        let next = tokio::time::timeout(DEADLINE, self.read());
        next.await.unwrap_or_else(|_| panic!("{what}: no frame within {DEADLINE:?}"))
    }

    async fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\n\n") {
                let rest = self.buffer.split_off(end + 2);
                let text = String::from_utf8(std::mem::replace(&mut self.buffer, rest));
                return Some(Frame::parse(text.unwrap().trim_end_matches('\n')));
            }
            let Some(piece) = self.piece().await else {
                assert!(self.buffer.is_empty(), "{}: it ended within a frame", self.what);
                return None;
            };
            self.buffer.extend_from_slice(&piece);
        }
    }

    /// The next event about an object, passing over heartbeats.
    pub async fn next_event(&mut self) -> Frame {
        loop {
            let frame = self.next().await;
            let frame = frame.unwrap_or_else(|| panic!("{}: it ended", self.what));
            if frame.is_event() {
                return frame;
            }
        }
    }

    /// So many events.
    pub async fn events(&mut self, count: usize) -> Vec<Frame> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next_event().await);
        }
        events
    }

    /// Whether no event comes within a while in which others would have come.
    pub async fn is_silent_for(&mut self, span: Duration) -> bool {
        tokio::time::timeout(span, self.next_event()).await.is_err()
    }

    /// Reads to the end.
    pub async fn rest(mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}
