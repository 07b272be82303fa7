//! From a request's headers to its caller (contract: access, "Keys").

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use thiserror::Error;

use super::Call;
use crate::access::{Caller, KeyText, Quota};
use crate::limiter::OverLimit;
use crate::services::Services;
use crate::store::StoreError;

/// Why a request has no caller.
#[derive(Debug, Error)]
pub enum AuthError {
    /// No key was sent.
    #[error(
        "no API key: send it as `X-API-Key: <key>`, `Authorization: Bearer <key>`, or HTTP Basic with the key as the password"
    )]
    Missing,
    /// What was sent is not a key.
    #[error("the API key is malformed: it has the form iocast_<id>_<secret>")]
    Malformed,
    /// Nobody has this key.
    #[error("the API key is unknown")]
    Unknown,
    /// The key's time is over.
    #[error("the API key has expired: ask for a new one")]
    Expired,
    /// The key was revoked.
    #[error("the API key was revoked: ask for a new one")]
    Revoked,
    /// The key's plan allows no more for now.
    #[error(
        "the API key's plan allows {limit} requests in this window: try again in {wait} s",
        limit = .quota.limit
    )]
    OverLimit {
        /// What the plan allows.
        quota: Quota,
        /// Seconds until more is allowed.
        wait: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthError {
    /// The code in error answers.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing_api_key",
            Self::Malformed | Self::Unknown => "invalid_api_key",
            Self::Expired => "expired_api_key",
            Self::Revoked => "revoked_api_key",
            Self::OverLimit { .. } => "rate_limited",
            Self::Store(_) => "unavailable",
        }
    }
}

/// The `WWW-Authenticate` of every 401.
pub const CHALLENGE: &str = r#"Basic realm="iocast", Bearer"#;

/// Who makes the request, if its key may make one more. The answer will say what is left.
///
/// # Errors
/// Says which of missing, malformed, unknown, expired or revoked the key is, or that its plan's
/// limit is reached.
pub async fn authenticate(services: &Services, call: &Call) -> Result<Caller, AuthError> {
    let caller = identify(services, call).await?;
    admit(services, call, &caller).await?;
    Ok(caller)
}

/// Counts the request against the caller's plan. The answer will say what is left.
///
/// # Errors
/// [`AuthError::OverLimit`], and no other.
pub async fn admit(services: &Services, call: &Call, caller: &Caller) -> Result<(), AuthError> {
    match services.limiter().admit(services.store(), caller).await {
        Ok(quota) => {
            call.tell(quota);
            Ok(())
        }
        Err(OverLimit(quota)) => {
            call.tell(Some(quota));
            Err(AuthError::OverLimit { quota, wait: quota.seconds_left(services.store().now()) })
        }
    }
}

/// Who makes the request, without counting it: for a surface that never refuses a valid key for
/// the number of its requests, and calls [`admit`] itself.
///
/// # Errors
/// Says which of missing, malformed, unknown, expired or revoked the key is.
pub async fn identify(services: &Services, call: &Call) -> Result<Caller, AuthError> {
    let sent: KeyText = sent_key(call.headers())?.parse().map_err(|_| AuthError::Malformed)?;
    let known = services.key(sent.id()).await?.ok_or(AuthError::Unknown)?;
    if !known.digest.matches(&sent.digest()) {
        return Err(AuthError::Unknown);
    }
    if known.revoked {
        return Err(AuthError::Revoked);
    }
    if known.key.expires.is_some_and(|expires| expires <= services.store().now()) {
        return Err(AuthError::Expired);
    }
    services.note_use(&known).await;
    let plan = services.plan(&known.key.plan).await?;
    let caller = known.caller(plan);
    call.asked_by(&caller);
    Ok(caller)
}

/// The key in the headers: `X-API-Key` (or `x-apikey`, as `VirusTotal` clients spell it), Bearer,
/// Token, or Basic with the key as the password, or as the user name without one.
fn sent_key(headers: &HeaderMap) -> Result<String, AuthError> {
    for name in ["x-api-key", "x-apikey"] {
        if let Some(value) = headers.get(name) {
            let text = value.to_str().map_err(|_| AuthError::Malformed)?.trim();
            return if text.is_empty() { Err(AuthError::Missing) } else { Ok(text.to_owned()) };
        }
    }
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(AuthError::Missing);
    };
    let text = value.to_str().map_err(|_| AuthError::Malformed)?.trim();
    let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
    let credentials = credentials.trim();
    if credentials.is_empty() {
        return Err(AuthError::Missing);
    }
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Ok(credentials.to_owned()),
        "basic" => basic_key(credentials).ok_or(AuthError::Malformed),
        _ => Err(AuthError::Malformed),
    }
}

fn basic_key(credentials: &str) -> Option<String> {
    let bytes =
        STANDARD.decode(credentials).or_else(|_| STANDARD_NO_PAD.decode(credentials)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(if password.is_empty() { user } else { password }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_in(name: &'static str, value: &str) -> Option<String> {
        sent_key(&HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])).ok()
    }

    #[test]
    fn a_key_comes_in_four_forms() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(key_in("x-api-key", " k ").as_deref(), Some("k"));
        assert_eq!(key_in("x-apikey", "k").as_deref(), Some("k"));
        assert_eq!(key_in("authorization", "bearer k").as_deref(), Some("k"));
        assert_eq!(key_in("authorization", "Token k").as_deref(), Some("k"));
        assert_eq!(key_in("authorization", &basic("anyone:k")).as_deref(), Some("k"));
        assert_eq!(key_in("authorization", &basic("k:")).as_deref(), Some("k"));
        assert_eq!(key_in("authorization", "Basic ???"), None);
        assert_eq!(key_in("authorization", "Digest k"), None);
        assert_eq!(key_in("authorization", "Bearer"), None);
    }
}
