//! What can be tried without a person.

use keyward_core::{CheckedStep, FederationError, Upstream};
use keyward_model::Timestamp;

use super::{certificate::Certificate, settings::Settings};

/// From how many days on an administrator is told to see to the next certificate.
const SOON_DAYS: i64 = 30;

/// Ends with the first step that fails.
pub(super) fn check(upstream: &Upstream, now: Timestamp) -> Vec<CheckedStep> {
    let mut steps = Vec::new();
    if let Err(error) = walk(upstream, now, &mut steps) {
        steps.push(CheckedStep { step: error.step, passed: false, detail: error.detail });
    }
    steps
}

fn walk(upstream: &Upstream, now: Timestamp, steps: &mut Vec<CheckedStep>) -> Result<(), FederationError> {
    let mut passed = |step, detail| steps.push(CheckedStep { step, passed: true, detail });
    let settings = Settings::of(upstream)?;
    if settings.has_metadata() {
        passed("metadata", "The provider's metadata was read.".to_owned());
    }
    passed("entity_id", format!("The provider calls itself {}.", settings.entity_id()?));
    let sso_url = settings.sso_url()?;
    let plain = if sso_url.scheme() == "http" { " It is not encrypted: use https." } else { "" };
    passed("sso_url", format!("People are sent to {sso_url}.{plain}"));
    let certificates = settings.certificates()?;
    let sentences: Vec<_> = certificates.iter().map(|certificate| sentence(certificate, now)).collect();
    let detail = sentences.join(" ");
    if !certificates.iter().any(|certificate| certificate.is_in_date(now)) {
        return Err(FederationError::new("certificate", "certificate_expired", detail));
    }
    passed("certificate", detail);
    Ok(())
}

fn sentence(certificate: &Certificate, now: Timestamp) -> String {
    let (from, until) = (certificate.not_before, certificate.not_after);
    if now < from {
        return format!("The certificate counts only from {} on.", from.date_for_people());
    }
    if until < now {
        return format!("The certificate expired on {}.", until.date_for_people());
    }
    let days = (until.unix_seconds() - now.unix_seconds()) / 86_400;
    let left = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let advice = if days < SOON_DAYS { " Add the provider's next certificate soon." } else { "" };
    format!("The certificate counts until {}, {left} from now.{advice}", until.date_for_people())
}
