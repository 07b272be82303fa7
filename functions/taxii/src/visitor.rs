//! Who asks: a key, or nobody where something is public.

use shared::access::{Caller, Scope};
use shared::http::{AuthError, Call, authenticate};
use shared::services::{Defined, Services};

use crate::fault::Fault;

/// Who makes a request.
#[derive(Debug)]
pub enum Visitor {
    /// A key that may use TAXII.
    Key(Caller),
    /// No key was sent: only what is public is there.
    Anonymous,
}

impl Visitor {
    /// Reads the key. A wrong key is refused even where none is needed.
    pub async fn of(services: &Services, call: &Call) -> Result<Self, Fault> {
        match authenticate(services, call).await {
            Ok(caller) if caller.may(Scope::ReadTaxii) || caller.may(Scope::WriteObjects) => {
                Ok(Self::Key(caller))
            }
            // A key is never worse than none.
            Ok(caller) if call.reads() && anything_public(services).await? => Ok(Self::Key(caller)),
            Ok(caller) => Err(caller
                .require(Scope::ReadTaxii)
                .err()
                .map_or_else(Fault::unauthenticated, Fault::from)),
            // Without a public collection nothing is there for somebody without a key.
            Err(AuthError::Missing) if call.reads() && anything_public(services).await? => {
                Ok(Self::Anonymous)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The key's holder.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Key(caller) => Some(caller),
            Self::Anonymous => None,
        }
    }

    /// The key's holder, where a key is needed.
    pub fn known(&self) -> Result<&Caller, Fault> {
        self.caller().ok_or_else(Fault::unauthenticated)
    }
}

async fn anything_public(services: &Services) -> Result<bool, Fault> {
    let public = |defined: &Defined| {
        let settings = &defined.collection.settings;
        settings.public && settings.taxii
    };
    Ok(services.definitions().await?.iter().any(|defined| public(defined)))
}
