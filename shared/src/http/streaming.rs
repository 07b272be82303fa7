//! Answers whose body is sent piece by piece, for as long as there is something to say.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::Stream;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use lambda_http::http::Method;
use lambda_http::{Request, Response};

use super::line::Line;
use super::{Answer, Call, Refusal, time_left, within};
use crate::work;

/// The pieces of a body, each sent as soon as it is there.
pub type Chunks = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The body of an answer that may be sent in pieces.
pub type StreamedBody = UnsyncBoxBody<Bytes, Infallible>;

/// What a handler answers.
pub enum Reply {
    /// All at once.
    Whole(Answer),
    /// Headers now, a body bit by bit; never compressed, so that nothing waits for more.
    Streamed(Answer, Chunks),
}

/// Answers a gateway request with `handle`, as [`super::serve`] does, but the body may be
/// streamed.
pub async fn serve_streaming<F, Answered, Refused>(
    request: Request,
    handle: F,
) -> Response<StreamedBody>
where
    F: FnOnce(Arc<Call>) -> Answered,
    Answered: Future<Output = Result<Reply, Refused>>,
    Refused: Refusal,
{
    let time = time_left(&request);
    let (call, mut line) = Call::begin(request);
    let call = Arc::new(call);
    let frame = call.frame();
    let reply = if call.method == Method::OPTIONS {
        Reply::Whole(Answer::preflight())
    } else {
        within(time, &line, &call, handle(call.clone())).await.unwrap_or_else(Reply::Whole)
    };
    match reply {
        Reply::Streamed(answer, chunks) if !frame.head => {
            let (parts, _) = answer.send(&frame).into_parts();
            line.answered(parts.status);
            let span = line.span();
            let frames = Told { chunks, line, span }.map(|bytes| Ok(Frame::data(bytes)));
            Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
        }
        Reply::Whole(answer) | Reply::Streamed(answer, _) => {
            let response = answer.send(&frame);
            line.answered(response.status());
            line.sent(response.body().len());
            whole(response)
        }
    }
}

/// A stream's pieces; its log line is written when it ends or its reader goes.
struct Told {
    chunks: Chunks,
    line: Line,
    span: tracing::Span,
}

impl Stream for Told {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        let _entered = this.span.enter();
        let next = || this.chunks.as_mut().poll_next(context);
        let polled = work::stepping(this.line.work.clone(), next);
        if let Poll::Ready(Some(bytes)) = &polled {
            this.line.sent(bytes.len());
        }
        polled
    }
}

fn whole(response: Response<lambda_http::Body>) -> Response<StreamedBody> {
    response.map(|body| Full::new(Bytes::from(body.to_vec())).boxed_unsync())
}
