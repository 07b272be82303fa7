//! The way from any thread to the engine's.

use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use dynoxide::Database;
use thiserror::Error;
use tokio::sync::oneshot;

use super::operations::{self, Answer};

/// Sends requests to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Requests(Sender<Message>);

/// The engine answers no more: the service stops.
#[derive(Debug, Error)]
#[error("the DynamoDB engine has stopped")]
pub struct Stopped;

#[derive(Debug)]
enum Message {
    Request { target: String, body: Bytes, reply: oneshot::Sender<Answer> },
    Stop,
}

/// The engine's end.
pub(super) struct Inbox(Receiver<Message>);

impl Requests {
    pub(super) fn new() -> (Self, Inbox) {
        let (sender, receiver) = channel();
        (Self(sender), Inbox(receiver))
    }

    /// Carries out the operation that `target` names, as in the header `x-amz-target`. A request
    /// that is sent is carried out, also when its caller stops waiting.
    ///
    /// # Errors
    /// When the engine has stopped; the outcome is then unknown.
    pub async fn answer(&self, target: String, body: Bytes) -> Result<Answer, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Message::Request { target, body, reply }).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    pub(super) fn stop(&self) {
        let _ = self.0.send(Message::Stop);
    }
}

impl Inbox {
    /// Answers one request after the other until the engine is told to stop.
    pub(super) fn serve(self, database: &Database) {
        while let Ok(Message::Request { target, body, reply }) = self.0.recv() {
            let answer = operations::answer(database, &target, &body);
            let _ = reply.send(answer);
        }
    }
}
