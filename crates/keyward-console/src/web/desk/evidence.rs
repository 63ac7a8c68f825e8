//! Evidence of use: when what obtains tokens with secrets did so, from where, and how often.

use keyward_core::HolderUse;
use keyward_model::{AnyId, Timestamp};
use serde_json::Value;

use super::{
    super::visit::Refused,
    desk_at::Desk,
    doc::{number, so_many, text},
};
use crate::{
    Moment,
    component::{Block, Chart, Content, Facts, Panel, Piece, Series},
};

/// How many addresses are named.
const MOST_ADDRESSES: usize = 5;

/// How a client used its secrets, as a cell.
pub(super) fn last_use(used: Option<&HolderUse>, now: Timestamp) -> Content {
    let Some((used, at)) = used.and_then(|used| Some((used, used.last_used_at?))) else {
        return Piece::Muted("Never".to_owned()).into();
    };
    let total: u64 = used.days.iter().sum();
    let words = format!("{} in 14 days", so_many(total, "token", "tokens"));
    Content::from(Piece::Time(Moment::new(at, now))).below(Piece::Spark(used.days.clone(), words))
}

/// When something was last used, from where and how often; with what it obtained and what it needed, where that is known.
pub(super) async fn panel(desk: &Desk, doc: &Value, usage: Option<&Value>) -> Result<Panel, Refused> {
    let id: Option<AnyId> = text(doc, "id").parse().ok();
    let uses = desk.found(desk.state.keyward.holders_use(&desk.call(), id.as_slice()).await)?;
    let used = id.and_then(|id| uses.get(&id));
    let mut facts = Facts::default()
        .and("Last used", last_use(used, desk.now))
        .and_maybe("From", used.and_then(|used| used.address.clone()).map(Content::code))
        .and_maybe("In 14 days from", used.and_then(addresses));
    facts = if let Some(usage) = usage {
        of_tokens(facts, usage)
    } else {
        let total: u64 = used.map(|used| used.days.iter().sum()).unwrap_or_default();
        facts.and("Tokens issued", Content::words(format!("{total} in 14 days")))
    };
    let mut blocks = vec![facts.into()];
    blocks.extend(used.map(|used| Block::Chart(tokens_by_day(used, desk.now))));
    Ok(Panel::new("use", "Evidence of use", blocks))
}

/// Tokens that were issued, and those that were needed.
fn of_tokens(facts: Facts, usage: &Value) -> Facts {
    let (issued, needed) = (number(usage, "tokens_issued"), number(usage, "tokens_needed"));
    let facts = facts
        .and("Tokens issued", Content::words(issued.to_string()))
        .and("Tokens needed", Content::words(needed.to_string()));
    if issued <= needed * 2 || issued <= 10 {
        return facts;
    }
    let words = format!(
        "It asked {} times without need: it should keep each token until it expires.",
        issued - needed
    );
    facts.and("Hygiene", Piece::Warning(words))
}

/// The addresses from which it was used most, when it was used from several.
fn addresses(used: &HolderUse) -> Option<Content> {
    let mut all: Vec<(&String, &u64)> = used.addresses.iter().collect();
    all.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    let told =
        |(address, times): &(&String, &u64)| format!("{address} ({})", so_many(**times, "time", "times"));
    let told: Vec<String> = all.iter().take(MOST_ADDRESSES).map(told).collect();
    let more = all.len().saturating_sub(MOST_ADDRESSES) as u64;
    let whole = Content::words(told.join(", "));
    let whole = if more > 0 {
        whole.below(Piece::Words(format!("and {} more", so_many(more, "address", "addresses"))))
    } else {
        whole
    };
    (all.len() > 1).then_some(whole)
}

fn tokens_by_day(used: &HolderUse, now: Timestamp) -> Chart {
    let count = used.days.len();
    let ago = |index: usize| i64::try_from(count - 1 - index).unwrap_or_default();
    let labels = (0..count).map(|index| now.plus_seconds(-86_400 * ago(index)).date_for_people()).collect();
    let total: u64 = used.days.iter().sum();
    let unneeded: Vec<u64> =
        used.days.iter().zip(&used.needed).map(|(all, needed)| all.saturating_sub(*needed)).collect();
    let without_need: u64 = unneeded.iter().sum();
    Chart {
        id: "tokens-by-day",
        title: "Tokens issued per day".to_owned(),
        summary: format!(
            "{} in the last 14 days, {without_need} while an earlier one was still good.",
            so_many(total, "token", "tokens")
        ),
        labels,
        series: vec![
            Series { name: "Needed".to_owned(), numbers: used.needed.clone() },
            Series { name: "Not needed".to_owned(), numbers: unneeded },
        ],
    }
}
