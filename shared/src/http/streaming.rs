//! Answers whose body is sent piece by piece, for as long as there is something to say.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::Stream;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use lambda_http::http::Method;
use lambda_http::{Request, Response};

use super::{Answer, Call};

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
pub async fn serve_streaming<F, Answered>(request: Request, handle: F) -> Response<StreamedBody>
where
    F: FnOnce(Call) -> Answered,
    Answered: Future<Output = Reply>,
{
    let call = Call::new(request);
    let frame = call.frame();
    if call.method == Method::OPTIONS {
        return whole(Answer::preflight().send(&frame));
    }
    match handle(call).await {
        Reply::Whole(answer) => whole(answer.send(&frame)),
        Reply::Streamed(answer, _) if frame.head => whole(answer.send(&frame)),
        Reply::Streamed(answer, chunks) => {
            let (parts, _) = answer.send(&frame).into_parts();
            let frames = chunks.map(|bytes| Ok(Frame::data(bytes)));
            Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
        }
    }
}

fn whole(response: Response<lambda_http::Body>) -> Response<StreamedBody> {
    response.map(|body| Full::new(Bytes::from(body.to_vec())).boxed_unsync())
}
