//! A writer: sends what is done to its objects, some at a time, and repeats what fails.

use std::cell::Cell;

use tests::chance::Chance;
use tests::client::{Answer, Request, TAXII};
use tests::collection::Collection;
use tests::fixtures::{Object, envelope};
use tests::patience::until;
use tests::world::World;

use super::tale::{Step, Story};

/// Objects in one request, at the most: the more, the likelier it is that one of them fails.
const AT_ONCE: usize = 24;
const AT_ONCE_ON_WORSE_DAYS: usize = 8;

/// Whether a request may fail for a reason that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// No request fails, but for a gateway that waits no longer on a busy machine.
    Quiet,
    /// Any may fail.
    Worse,
}

impl Days {
    /// The answer to a request that is repeated as a client does, and how often it failed before.
    pub async fn answer(self, request: Request) -> (Answer, usize) {
        let mut failed = 0;
        let what = request.path.chars().take(120).collect::<String>();
        let answer = until(&format!("an answer to {what}"), async || {
            let answer = request.clone().await;
            if answer.status == 503 || (self == Self::Worse && answer.status >= 500) {
                failed += 1;
                return None;
            }
            Some(answer)
        })
        .await;
        (answer, failed)
    }
}

/// One writer.
pub struct Writer<'a> {
    pub world: &'a World,
    pub collection: &'a Collection,
    pub days: Days,
    /// Steps that all writers have done.
    pub done: &'a Cell<usize>,
}

impl Writer<'_> {
    /// Does all that its stories say.
    pub async fn write(&self, mut stories: Vec<Story>, mut chance: Chance) {
        for story in &mut stories {
            story.steps.reverse();
        }
        let at_once = match self.days {
            Days::Quiet => AT_ONCE,
            Days::Worse => AT_ONCE_ON_WORSE_DAYS,
        };
        while !stories.is_empty() {
            let count = 1 + chance.below(at_once);
            // Stories that were begun are gone on with while others begin.
            let window = stories.len().min(2 * at_once);
            let (mut sent, mut posted) = (Vec::new(), Vec::new());
            let begin = chance.below(window);
            for story in stories.iter_mut().take(window).skip(begin).take(count) {
                match story.steps.pop() {
                    Some(Step::Send(object)) => sent.push(object),
                    Some(Step::Post(object)) => posted.push(object),
                    Some(deletion) => self.delete(&story.id, &deletion).await,
                    None => {}
                }
            }
            self.send(&sent).await;
            self.post(&posted).await;
            stories.retain(|story| !story.steps.is_empty());
        }
    }

    fn did(&self, steps: usize) {
        self.done.set(self.done.get() + steps);
    }

    async fn send(&self, objects: &[Object]) {
        if objects.is_empty() {
            return;
        }
        let request = self.world.ingest().post("/api/v1/objects");
        let request = request.body("application/json", envelope(objects));
        let report = self.days.answer(request).await.0.expect(200).json();
        assert_eq!(report["rejected"], 0, "{report}");
        self.did(objects.len());
    }

    async fn post(&self, objects: &[Object]) {
        if objects.is_empty() {
            return;
        }
        let request = self.world.writer().post(&self.collection.objects());
        let request = request.body(TAXII, envelope(objects));
        let status = self.days.answer(request).await.0.expect(202).json();
        assert_eq!(status["failure_count"], 0, "{status}");
        self.did(objects.len());
    }

    async fn delete(&self, id: &str, how: &Step) {
        let path = self.collection.object(id);
        let request = match how {
            Step::RemoveVersion(version) => {
                self.world.writer().delete(&path).query("match[version]", version)
            }
            Step::RemoveAll => self.world.writer().delete(&path).query("match[version]", "all"),
            _ => self.world.ingest().delete(&format!("/api/v1/objects/{id}")),
        };
        let (answer, failed) = self.days.answer(request).await;
        // A request that failed may have deleted all the same.
        if failed == 0 || answer.status != 404 {
            let _ = answer.expect(200);
        }
        self.did(1);
    }
}
