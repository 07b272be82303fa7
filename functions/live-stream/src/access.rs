//! Who may read a stream.

use std::sync::Arc;

use lambda_http::http::StatusCode;
use shared::access::{Caller, Scope};
use shared::http::{ApiError, AuthError, Call, identify};
use shared::services::{Defined, Services};
use shared::store::StoreError;

/// Why a request gets no stream.
#[derive(Debug)]
pub enum Refusal {
    /// For a lasting reason, which the client is told.
    Lasting(ApiError),
    /// It cannot be told now: the client comes again, and must not take it for a failure.
    Passing(StoreError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Lasting(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Passing(error)
    }
}

/// Who asks.
#[derive(Debug)]
pub struct Visitor {
    /// The key's holder; nobody where no key was sent.
    pub caller: Option<Caller>,
    /// The key's plan allows no more for now: it is put off, never refused.
    pub over_limit: bool,
}

impl Visitor {
    /// Who makes a request, which is counted. A wrong key is refused even where none is needed.
    pub async fn of(services: &Services, call: &Call) -> Result<Self, Refusal> {
        let caller = identified(services, call).await?;
        let over_limit = match &caller {
            Some(caller) => shared::http::admit(services, call, caller).await.is_err(),
            None => false,
        };
        Ok(Self { caller, over_limit })
    }

    /// Who made a request that was counted when it began.
    pub async fn again(services: &Services, call: &Call) -> Result<Self, Refusal> {
        Ok(Self { caller: identified(services, call).await?, over_limit: false })
    }
}

async fn identified(services: &Services, call: &Call) -> Result<Option<Caller>, Refusal> {
    match identify(services, call).await {
        Ok(caller) => Ok(Some(caller)),
        Err(AuthError::Missing) => Ok(None),
        Err(AuthError::Store(error)) => Err(Refusal::Passing(error)),
        Err(error) => Err(Refusal::Lasting(error.into())),
    }
}

/// The stream called `name`, an id or alias, if the visitor may read it now.
pub async fn readable(
    services: &Services,
    visitor: &Visitor,
    name: &str,
) -> Result<Arc<Defined>, Refusal> {
    let found = services.collection(name).await?;
    let Some(caller) = &visitor.caller else {
        let public = found.filter(|defined| defined.collection.stream_rights(None).read);
        return running(public.ok_or(AuthError::Missing).map_err(ApiError::from)?);
    };
    let known = found.filter(|defined| defined.collection.is_stream_known_to(&caller.tenant));
    let Some(defined) = known else {
        let shown: String = name.chars().take(80).collect();
        return Err(ApiError::not_found(format!("there is no stream {shown:?}")).into());
    };
    if !defined.collection.stream_rights(Some(caller)).read {
        return Err(forbidden(&defined, caller).into());
    }
    running(defined)
}

fn running(defined: Arc<Defined>) -> Result<Arc<Defined>, Refusal> {
    if defined.collection.settings.stream.enabled {
        return Ok(defined);
    }
    let message = "this stream was stopped by its operator";
    Err(ApiError::new(StatusCode::GONE, "stream_stopped", message).into())
}

fn forbidden(defined: &Defined, caller: &Caller) -> ApiError {
    if let Err(refusal) = caller.require(Scope::ReadStream) {
        return refusal.into();
    }
    let ceiling = defined.collection.settings.ceiling;
    if caller.clearance < ceiling {
        let message = format!(
            "the stream reaches up to TLP:{ceiling}, your key is cleared for TLP:{}",
            caller.clearance
        );
        return ApiError::new(StatusCode::FORBIDDEN, "clearance_required", message);
    }
    let message = "your tenant may write to this collection, but not read it";
    ApiError::new(StatusCode::FORBIDDEN, "stream_not_readable", message)
}
