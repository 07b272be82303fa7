//! What may befall a call.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use serde_json::{Value, json};

use super::call::{Call, Service};

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Refused for its rate, not done.
    Throttled,
    /// 500, not done.
    Failed,
    /// The connection is cut, not done.
    Lost,
    /// No answer in time, not done. (What takes an attempt's time-out is not waited for.)
    TimedOut,
    /// No answer, ever.
    Hangs,
    /// Done, and the connection cut.
    LostAnswer,
    /// Done, and answered 500.
    FailedAnswer,
    /// Done, late.
    Slow,
    /// A batch of which nothing is done.
    Unprocessed,
    /// A write that met a transaction.
    Conflict,
    /// An object of the bucket whose bytes end halfway.
    CutBody,
}

impl Fault {
    /// What may happen to a call once.
    pub const ONCE: [Self; 9] = [
        Self::Throttled,
        Self::Failed,
        Self::Lost,
        Self::TimedOut,
        Self::LostAnswer,
        Self::FailedAnswer,
        Self::Slow,
        Self::Unprocessed,
        Self::CutBody,
    ];

    /// Whether it can happen to this call.
    pub fn befalls(self, call: &Call) -> bool {
        match self {
            Self::Unprocessed => call.operation.starts_with("Batch"),
            Self::Conflict => call.operation == "TransactWriteItems",
            Self::CutBody => call.operation == "GetObject",
            // To a read it is all the same whether it was done.
            Self::LostAnswer | Self::FailedAnswer => call.writes(),
            _ => true,
        }
    }

    /// What AWS answers then.
    pub(super) fn answer(self, call: &Call) -> HttpResponse {
        let (status, text) = match (self, call.service) {
            (Self::Throttled, Service::DynamoDb) => {
                (400, error("ProvisionedThroughputExceededException"))
            }
            (Self::Throttled, Service::S3) => (503, xml("SlowDown")),
            (Self::Conflict, _) => (400, canceled(&call.body)),
            (Self::Unprocessed, _) => (200, unprocessed(call)),
            (_, Service::DynamoDb) => (500, error("InternalServerError")),
            (_, Service::S3) => (500, xml("InternalError")),
        };
        let kind = match call.service {
            Service::DynamoDb => "application/x-amz-json-1.0",
            Service::S3 => "application/xml",
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text));
        response.headers_mut().insert("content-type", kind);
        response
    }
}

fn error(name: &str) -> String {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{name}");
    json!({"__type": kind, "message": "a fault of the test"}).to_string()
}

fn xml(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>a fault of the test</Message></Error>")
}

fn canceled(body: &Value) -> String {
    let items = body["TransactItems"].as_array().map_or(1, Vec::len);
    let reason = |place: usize| match place {
        0 => json!({"Code": "TransactionConflict", "Message": "a fault of the test"}),
        _ => json!({"Code": "None"}),
    };
    let reasons: Vec<Value> = (0..items).map(reason).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json!({"__type": kind, "Message": "a fault of the test", "CancellationReasons": reasons})
        .to_string()
}

fn unprocessed(call: &Call) -> String {
    let left = &call.body["RequestItems"];
    if call.operation == "BatchGetItem" {
        json!({"Responses": {}, "UnprocessedKeys": left}).to_string()
    } else {
        json!({"UnprocessedItems": left}).to_string()
    }
}

/// The answer, whose body breaks off after half of its first piece.
pub(super) fn cut(mut answer: HttpResponse) -> HttpResponse {
    let body = answer.take_body();
    *answer.body_mut() = SdkBody::from_body_1_x(Broken { body, over: false });
    answer
}

struct Broken {
    body: SdkBody,
    over: bool,
}

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        if self.over {
            return Poll::Ready(Some(Err("the connection is cut".into())));
        }
        let Poll::Ready(polled) = Pin::new(&mut self.body).poll_frame(context) else {
            return Poll::Pending;
        };
        self.over = true;
        let data = polled.and_then(Result::ok).and_then(|frame| frame.into_data().ok());
        let data = data.unwrap_or_default();
        Poll::Ready(Some(Ok(hyper::body::Frame::data(data.slice(..data.len() / 2)))))
    }
}
