//! One embedded `DynamoDB` for all cases of a test process; each case has tables of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use local::engines::clients::{self, Endpoint};
use local::engines::dynamodb::{Durability, DynamoDb, Requests};
use local::engines::tables;
use local::template::{Table, Template};
use shared::store::Names;
use tokio::runtime::Runtime;

use crate::engine_port::EnginePort;

pub(crate) struct Engine {
    requests: Requests,
    port: EnginePort,
    client: Client,
    template: Vec<Table>,
    names: Names,
    cases: AtomicU64,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime starts")
    })
}

/// Runs a future on the runtime of all labs.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

impl Engine {
    pub(crate) fn shared() -> &'static Self {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE.get_or_init(|| {
            // SQLite's own name for a database without a file.
            let dynamodb = DynamoDb::start(Path::new(":memory:"), Durability::Forgotten);
            let dynamodb = dynamodb.expect("the engine starts");
            let requests = dynamodb.requests();
            // It runs until the process ends.
            std::mem::forget(dynamodb);
            let client = clients::dynamodb(&Endpoint::in_process(&requests));
            let _inside = runtime().enter();
            let port = EnginePort::open(&requests);
            let template = Template::embedded().expect("the template is read");
            let variable = |name: &str| template.environment().get(name).cloned().unwrap();
            let names = Names {
                objects: variable("IOCAST_OBJECTS_TABLE"),
                collections: variable("IOCAST_COLLECTIONS_TABLE"),
                access: variable("IOCAST_ACCESS_TABLE"),
                notifications: variable("IOCAST_NOTIFICATIONS_TABLE"),
                bucket: variable("IOCAST_BUCKET"),
            };
            let template = template.tables().expect("the template has tables");
            Self { requests, port, client, template, names, cases: AtomicU64::new(0) }
        })
    }

    /// The address of a port before it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The way to it in process.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::in_process(&self.requests)
    }

    /// Makes tables for one case; returns what the functions call them, and the names of all.
    pub(crate) async fn prepare(&self) -> (Names, Vec<String>) {
        let case = self.cases.fetch_add(1, Ordering::Relaxed);
        let own = |name: &str| format!("case-{case}-{name}");
        let made: Vec<Table> = self
            .template
            .iter()
            // Nobody reads the streams.
            .map(|table| Table { name: own(&table.name), stream: None, ..table.clone() })
            .collect();
        tables::prepare(&self.client, &made).await.expect("the tables are made");
        let names = Names {
            objects: own(&self.names.objects),
            collections: own(&self.names.collections),
            access: own(&self.names.access),
            notifications: own(&self.names.notifications),
            bucket: self.names.bucket.clone(),
        };
        (names, made.into_iter().map(|table| table.name).collect())
    }

    pub(crate) async fn drop_tables(&self, tables: &[String]) {
        for table in tables {
            let _ = self.client.delete_table().table_name(table).send().await;
        }
    }
}
