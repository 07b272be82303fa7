//! Between a function's SDK clients and the engines: writes down every call and the rights it
//! needs, and lets a fault befall the call that a test names.

mod call;
mod fault;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

pub use call::{Call, Right, shape};
pub use fault::Fault;

/// How late a slow answer is.
const LATE: Duration = Duration::from_millis(150);

/// Which calls a fault befalls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// The call's name, see [`Call::name`].
    pub call: String,
    /// The n-th of that name, from 0; absent: every one of them.
    pub nth: Option<usize>,
    /// What happens to it.
    pub fault: Fault,
}

/// The front. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Front(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engines: SharedHttpClient,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    seen: HashMap<String, usize>,
    strike: Option<Strike>,
    struck: usize,
}

impl Front {
    /// A front before what `engines` reaches, which only writes down.
    pub fn before(engines: SharedHttpClient) -> Self {
        Self(Arc::new(Inner { engines, state: Mutex::default() }))
    }

    /// What SDK clients take for their way to AWS.
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// What goes wrong from now on.
    pub fn strike(&self, strike: Option<Strike>) {
        self.0.state.lock().unwrap().strike = strike;
    }

    /// How often the fault happened.
    pub fn struck(&self) -> usize {
        self.0.state.lock().unwrap().struck
    }

    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.0.state.lock().unwrap().calls.clone()
    }

    /// Writes a call down; says what befalls it.
    fn meet(&self, call: &Call) -> Option<Fault> {
        let mut state = self.0.state.lock().unwrap();
        state.calls.push(call.clone());
        let seen = state.seen.entry(call.name.clone()).or_default();
        let number = *seen;
        *seen += 1;
        let strike = state.strike.as_ref().filter(|strike| strike.call == call.name)?;
        let strikes = strike.nth.is_none_or(|nth| nth == number);
        let fault = strike.fault;
        state.struck += usize::from(strikes);
        strikes.then_some(fault)
    }

    /// S3 says that something is not there only to who may list.
    fn answered(&self, call: &Call, status: u16) {
        if status == 404 && call.is_read_of_bucket() {
            let mut state = self.0.state.lock().unwrap();
            state.calls.push(call.listing());
        }
    }
}

impl HttpClient for Front {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let engine = self.0.engines.http_connector(settings, components);
        SharedHttpConnector::new(Connector { front: self.clone(), engine })
    }
}

#[derive(Debug, Clone)]
struct Connector {
    front: Front,
    engine: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let call = Call::read(&request);
            let struck = this.front.meet(&call).filter(|fault| fault.befalls(&call));
            let answer = match struck {
                None => this.engine.call(request).await,
                Some(fault) => this.befall(fault, &call, request).await,
            }?;
            this.front.answered(&call, answer.status().as_u16());
            Ok(answer)
        })
    }
}

impl Connector {
    async fn befall(
        &self,
        fault: Fault,
        call: &Call,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let cut = || ConnectorError::io("a fault of the test".into());
        match fault {
            Fault::Lost => Err(cut()),
            Fault::TimedOut => Err(ConnectorError::timeout("a fault of the test".into())),
            Fault::Hangs => std::future::pending().await,
            Fault::LostAnswer => {
                drop(self.engine.call(request).await?);
                Err(cut())
            }
            Fault::FailedAnswer => {
                drop(self.engine.call(request).await?);
                Ok(Fault::Failed.answer(call))
            }
            Fault::Slow => {
                tokio::time::sleep(LATE).await;
                self.engine.call(request).await
            }
            Fault::CutBody => Ok(fault::cut(self.engine.call(request).await?)),
            Fault::Throttled | Fault::Failed | Fault::Unprocessed | Fault::Conflict => {
                Ok(fault.answer(call))
            }
        }
    }
}
