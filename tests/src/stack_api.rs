//! What AWS tells of a stack, as far as `iocast doctor` asks: canned, in the words of the services'
//! own references, and as wrong as a test wants it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

/// How the stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// Everything that can be wrong is.
    Bad,
}

/// An account with one stack, `iocast`.
pub struct StackApi {
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

const RESOURCES: [(&str, &str, &str); 9] = [
    ("ObjectsTable", "objects", "AWS::DynamoDB::Table"),
    ("CollectionsTable", "collections", "AWS::DynamoDB::Table"),
    ("AccessTable", "access", "AWS::DynamoDB::Table"),
    ("NotificationsTable", "notifications", "AWS::DynamoDB::Table"),
    ("ProjectFunction", "project", "AWS::Lambda::Function"),
    ("ProjectFunctionPending", "mapping", "AWS::Lambda::EventSourceMapping"),
    ("ExpireFunctionEveryMinute", "minute", "AWS::Events::Rule"),
    ("ParkedQueue", "https://sqs.example.com/1/parked", "AWS::SQS::Queue"),
    ("ApiLogs", "logs", "AWS::Logs::LogGroup"),
];

impl StackApi {
    /// Listens on a free loopback port.
    pub async fn start(health: Health) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, server: tokio::spawn(serve(listener, Arc::new(health))) }
    }

    /// What the command's environment has to say.
    pub fn environment(&self) -> Vec<(String, String)> {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            set("AWS_ENDPOINT_URL", &format!("http://{}", self.address)),
            set("AWS_REGION", "us-east-1"),
            set("AWS_ACCESS_KEY_ID", "test"),
            set("AWS_SECRET_ACCESS_KEY", "test"),
        ]
    }
}

impl Drop for StackApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, health: Arc<Health>) {
    while let Ok((stream, _)) = listener.accept().await {
        let health = *health;
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(health, request));
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answer(
    health: Health,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let signed = header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=test/");
    let target = header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
    let (status, text) =
        if signed { told(health, &target, &path, &body) } else { (403, String::new()) };
    Ok(Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap())
}

fn told(health: Health, target: &str, path: &str, body: &str) -> (u16, String) {
    let good = health == Health::Good;
    let either = |right: &str, wrong: &str| if good { right } else { wrong }.to_owned();
    let text = match target {
        "DescribeTable" if body.contains("access") || body.contains("notifications") => {
            json!({"Table": {"TableStatus": "ACTIVE"}})
        }
        "DescribeTable" => json!({"Table": {
            "TableStatus": either("ACTIVE", if body.contains("objects") { "DELETING" } else { "ACTIVE" }),
            "StreamSpecification": {"StreamEnabled": good},
        }}),
        "DescribeTimeToLive" => {
            json!({"TimeToLiveDescription": {"TimeToLiveStatus": either("ENABLED", "DISABLED")}})
        }
        "DescribeRule" => json!({"State": either("ENABLED", "DISABLED"),
            "ScheduleExpression": "rate(1 minute)"}),
        "GetQueueAttributes" => {
            json!({"Attributes": {"ApproximateNumberOfMessages": either("0", "3")}})
        }
        _ if path.contains("event-source-mappings") => json!({"State": "Enabled",
            "LastProcessingResult": either("OK", "PROBLEM: Function call failed")}),
        _ if path.contains("/functions/") => json!({"State": either("Active", "Failed"),
            "LastUpdateStatus": "Successful", "StateReason": either("", "no such image")}),
        _ if body.contains("Action=ListStackResources") => return stack(body),
        _ if body.contains("Action=GetMetricStatistics") => return (200, lag(good)),
        _ => {
            return (
                400,
                json!({"message": format!("not asked for: {target} {path}")}).to_string(),
            );
        }
    };
    (200, text.to_string())
}

/// In two pages, as an account with many stacks has it.
fn stack(body: &str) -> (u16, String) {
    if !body.contains("StackName=iocast") {
        let message = "Stack with id other does not exist";
        let error =
            format!("<ErrorResponse><Error><Message>{message}</Message></Error></ErrorResponse>");
        return (400, error);
    }
    let second = body.contains("NextToken=more");
    let (first_page, second_page) = RESOURCES.split_at(5);
    let members: String = if second { second_page } else { first_page }
        .iter()
        .map(|(logical, physical, kind)| {
            format!(
                "<member><LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>\
                 {physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType></member>"
            )
        })
        .collect();
    let next = if second { "" } else { "<NextToken>more</NextToken>" };
    let text = format!(
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>{members}\
         </StackResourceSummaries>{next}</ListStackResourcesResult></ListStackResourcesResponse>"
    );
    (200, text)
}

fn lag(good: bool) -> String {
    let maximum = if good { "1500.0" } else { "900000.0" };
    format!(
        "<GetMetricStatisticsResponse><GetMetricStatisticsResult><Datapoints><member><Maximum>\
         {maximum}</Maximum></member></Datapoints></GetMetricStatisticsResult>\
         </GetMetricStatisticsResponse>"
    )
}
