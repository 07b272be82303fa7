//! The template's routes and triggers, tied to the functions of this program.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::services::Services;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::data_folder::DataFolder;
use crate::drop_trigger::DropTrigger;
use crate::engines::{Engines, ObjectCreated};
use crate::event_pattern::{EventPattern, EventPatternError};
use crate::functions;
use crate::gateway::{Gateway, Handler};
use crate::parked::Parked;
use crate::routing::Router;
use crate::scheduler::Schedule;
use crate::stream_pump::{Delivery, StreamPump};
use crate::template::{BucketTrigger, ScheduleTrigger, StreamTrigger, Template, TemplateError};

/// A pause Lambda would make longer; here somebody waits.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The same for schedules, for which nobody waits.
const FIRST_SCHEDULE_PAUSE: Duration = Duration::from_secs(1);

/// A template and what it asks to be tied together.
pub struct Wiring {
    /// The template.
    pub template: Template,
    streams: Vec<StreamTrigger>,
    buckets: Vec<BucketTrigger>,
    schedules: Vec<ScheduleTrigger>,
    writes: Arc<Notify>,
}

/// Why the template cannot be wired.
#[derive(Debug, Error)]
pub enum WiringError {
    /// It cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A filter cannot be applied.
    #[error(transparent)]
    Pattern(#[from] EventPatternError),
    /// A function is not part of this program.
    #[error("{0} is no function the local run knows; functions.rs ties them")]
    NoFunction(String),
    /// A variable the functions need is not set.
    #[error("Globals.Function.Environment does not set {0}")]
    NoVariable(&'static str),
}

impl Wiring {
    /// Reads the triggers of a template.
    ///
    /// # Errors
    /// When one is incomplete.
    pub fn new(template: Template) -> Result<Self, WiringError> {
        let streams = template.stream_triggers()?;
        let buckets = template.bucket_triggers()?;
        let schedules = template.schedule_triggers()?;
        Ok(Self { template, streams, buckets, schedules, writes: Arc::new(Notify::new()) })
    }

    /// How many want to be told of objects put into a bucket.
    #[must_use]
    pub fn bucket_triggers(&self) -> usize {
        self.buckets.len()
    }

    /// The HTTP front, with the engine at `bucket` behind it.
    ///
    /// # Errors
    /// When a route leads to an unknown function.
    pub fn gateway(&self, services: &Services, bucket: SocketAddr) -> Result<Gateway, WiringError> {
        // The local server is the front of both hosts: what goes to a function's URL comes first.
        let front = self.template.front_routes();
        let router = Router::new([front, self.template.routes()].concat());
        let handlers = router
            .functions()
            .map(|id| {
                let whole = functions::http(services, id).map(Handler::Whole);
                let handler =
                    whole.or_else(|| functions::streaming(services, id).map(Handler::Streaming));
                let handler = handler.ok_or_else(|| WiringError::NoFunction(id.to_owned()))?;
                Ok((id.to_owned(), handler))
            })
            .collect::<Result<HashMap<_, _>, WiringError>>()?;
        Ok(Gateway::new(router, handlers, self.writes.clone(), bucket))
    }

    /// One pump for each event source mapping.
    ///
    /// # Errors
    /// When one calls an unknown function, or its filter cannot be applied.
    pub fn pumps(
        &self,
        services: &Services,
        engines: &Engines,
        data: &DataFolder,
    ) -> Result<Vec<StreamPump>, WiringError> {
        let tables = self.template.tables()?;
        let pump = |trigger: &StreamTrigger| {
            let table = tables.iter().find(|table| table.logical_id == trigger.table);
            let table = table.map_or_else(|| trigger.table.clone(), |table| table.name.clone());
            let patterns = trigger.patterns.iter().map(|text| EventPattern::parse(text));
            Ok(StreamPump {
                client: engines.clients.streams.clone(),
                patterns: patterns.collect::<Result<_, _>>()?,
                delivery: Delivery {
                    handler: event_function(services, &trigger.function)?,
                    trigger: trigger.clone(),
                    parked: Parked::new(&data.parked()),
                    first_pause: FIRST_PAUSE,
                },
                checkpoint: data.checkpoint(&table, &trigger.function),
                records: engines.stream_records.clone(),
                writes: self.writes.clone(),
                table,
            })
        };
        self.streams.iter().map(pump).collect()
    }

    /// One trigger for each notification of a bucket; `created` has one receiver for each.
    ///
    /// # Errors
    /// When one calls an unknown function.
    pub fn drops(
        &self,
        services: &Services,
        engines: &Engines,
        data: &DataFolder,
        created: Vec<UnboundedReceiver<ObjectCreated>>,
    ) -> Result<Vec<DropTrigger>, WiringError> {
        let triggers = self.buckets.iter().zip(created);
        triggers
            .map(|(trigger, created)| {
                Ok(DropTrigger {
                    trigger: trigger.clone(),
                    handler: event_function(services, &trigger.function)?,
                    client: engines.clients.s3.clone(),
                    created,
                    writes: self.writes.clone(),
                    parked: Parked::new(&data.parked()),
                })
            })
            .collect()
    }

    /// Every schedule.
    ///
    /// # Errors
    /// When one calls an unknown function.
    pub fn schedules(
        &self,
        services: &Services,
        data: &DataFolder,
    ) -> Result<Vec<Schedule>, WiringError> {
        let schedule = |trigger: &ScheduleTrigger| {
            Ok(Schedule {
                trigger: trigger.clone(),
                handler: event_function(services, &trigger.function)?,
                parked: Parked::new(&data.parked()),
                first_pause: FIRST_SCHEDULE_PAUSE,
            })
        };
        self.schedules.iter().map(schedule).collect()
    }
}

fn event_function(services: &Services, id: &str) -> Result<functions::EventHandler, WiringError> {
    functions::event(services, id).ok_or_else(|| WiringError::NoFunction(id.to_owned()))
}
