//! What can be tried without a person, told to an administrator.

use keyward_core::{CheckedStep, FederationError, Upstream};
use keyward_crypto::jws::ForeignAlgorithm;
use keyward_model::Timestamp;

use super::{Oidc, library, metadata::Metadata, settings::Settings, token::ClientAuth};

/// Goes through the steps; ends with the first that fails.
pub(super) async fn steps(oidc: &Oidc, provider: &Upstream, now: Timestamp) -> Vec<CheckedStep> {
    let mut done = Vec::new();
    let failure = match run(oidc, provider, now, &mut done).await {
        Ok(()) => return done,
        Err(error) => error,
    };
    done.push(CheckedStep { step: failure.step, passed: false, detail: failure.detail });
    done
}

async fn run(
    oidc: &Oidc,
    provider: &Upstream,
    now: Timestamp,
    done: &mut Vec<CheckedStep>,
) -> Result<(), FederationError> {
    let mut passed = |step, detail: String| done.push(CheckedStep { step, passed: true, detail });
    let library = &oidc.library;
    let settings = Settings::read(provider)?;
    let probed = library.outbound().probe(&settings.discovery_url()).await;
    probed.map_err(|error| library::not_fetched("address", &error))?;
    passed("address", format!("The issuer {} leads to an address that may be asked.", settings.issuer));

    let metadata = library.new_metadata(&settings, now).await?;
    passed(
        "discovery",
        "The discovery document is about this issuer, and names all that is needed.".to_owned(),
    );

    let keys = library.new_keys(&settings, &metadata, now).await?;
    passed("keys", format!("The provider publishes {} that can verify ID tokens.", counted(keys.len())));

    let detail = endpoints(library, &settings, &metadata).await?;
    passed("endpoints", detail);
    Ok(())
}

async fn endpoints(
    library: &library::Library,
    settings: &Settings<'_>,
    metadata: &Metadata,
) -> Result<String, FederationError> {
    let algorithms: Vec<&str> = metadata.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
    if algorithms.is_empty() {
        let known: Vec<&str> = ForeignAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
        let detail = format!("The provider signs ID tokens by none of {}.", known.join(", "));
        return Err(FederationError::new("endpoints", "no_common_algorithm", detail));
    }
    for endpoint in
        [Some(&metadata.token_endpoint), metadata.userinfo_endpoint.as_ref()].into_iter().flatten()
    {
        let probed = library.outbound().probe(endpoint).await;
        probed.map_err(|error| {
            let detail = format!("An endpoint in the discovery document can't be used: {error}.");
            FederationError::new("endpoints", error.reason(), detail)
        })?;
    }
    let auth = match ClientAuth::choose(settings, metadata)? {
        ClientAuth::Basic(_) => "with its secret by client_secret_basic",
        ClientAuth::Post(_) => "with its secret by client_secret_post",
        ClientAuth::Public => "as a public client, as no secret is configured",
    };
    Ok(format!("ID tokens may be signed by {}. Keyward authenticates {auth}.", algorithms.join(", ")))
}

fn counted(keys: usize) -> String {
    if keys == 1 { "one key".to_owned() } else { format!("{keys} keys") }
}
