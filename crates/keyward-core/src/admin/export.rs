//! Exporting the audit log, page by page.

use keyward_model::{Action, ChainedEvent, Event, EventView, Kind, Subject};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Cursor, EventQuery};

use super::Work;
use crate::{Call, Error, FieldError, Keyward, forms, params};

/// How many events are read at once.
const PAGE: u32 = 1_000;

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON object a line.
    Ndjson,
    /// Comma-separated values (RFC 4180), with a header.
    Csv,
}

/// An export under way.
#[derive(Debug)]
pub struct EventExport {
    keyward: Keyward,
    call: Call,
    query: EventQuery,
    format: ExportFormat,
    /// Whether pages follow.
    more: bool,
    /// What stands in front of the next page.
    header: Option<&'static str>,
}

const COLUMNS: &str = "id,occurred_at,action,result,reason,actor_type,actor_id,actor_name,resource_type,resource_id,\
resource_name,tenant_id,partner_id,changes,ip,user_agent,request_id,session_id,credential_id,hash\r\n";

impl Keyward {
    /// Begins an export of the events that the parameters select; that it was asked for is in the audit log.
    pub async fn export_events(&self, call: &Call, pairs: &[(String, String)]) -> Result<EventExport, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Event)).await?;
        let unknown = ["page", "per_page", "cursor"];
        if let Some((name, _)) = pairs.iter().find(|(name, _)| unknown.contains(&name.as_str())) {
            let detail = format!("There is no parameter {name} here.");
            return Err(Error::field(FieldError::new(name, "unknown_parameter", detail)));
        }
        let is_format = |(name, _): &&(String, String)| name == "format";
        let format = match pairs.iter().find(is_format).map(|(_, format)| format.as_str()) {
            None | Some("ndjson") => ExportFormat::Ndjson,
            Some("csv") => ExportFormat::Csv,
            Some(_) => {
                let error = FieldError::new("format", "invalid_value", "format must be ndjson or csv.");
                return Err(Error::field(error));
            }
        };
        let mut formats = 0;
        let others: Vec<(String, String)> = pairs
            .iter()
            .filter(|(name, _)| {
                formats += u32::from(name == "format");
                name != "format" || formats > 1
            })
            .cloned()
            .collect();
        let (mut query, _) = params::events(&others)?;
        // What happens from now on, this export included, is not part of it.
        query.to = Some(query.to.map_or(work.now, |to| to.min(work.now)));
        query.limit = PAGE;
        let event = Event {
            resource: Some(Subject { kind: Kind::Event.name().into(), id: None, name: None }),
            ..work.event_of(Action::AUDIT_EXPORTED)
        };
        self.inner.writer.append(event).await?;
        let header = (format == ExportFormat::Csv).then_some(COLUMNS);
        Ok(EventExport { keyward: self.clone(), call: call.clone(), query, format, more: true, header })
    }
}

impl EventExport {
    /// How it is written.
    #[must_use]
    pub fn format(&self) -> ExportFormat {
        self.format
    }

    /// The next piece; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        if !self.more {
            return Ok(None);
        }
        let reach = self.call.caller.reach();
        let page = self.keyward.inner.store.events(&reach, &self.query).await?;
        let mut piece = self.header.take().unwrap_or_default().to_owned();
        for chained in &page.items {
            self.write(&mut piece, chained);
        }
        match page.items.last().filter(|_| page.more) {
            Some(last) => self.query.cursor = Cursor::Before(last.event.id),
            None => self.more = false,
        }
        Ok(Some(piece))
    }

    fn write(&self, into: &mut String, chained: &ChainedEvent) {
        let view = chained.event.view(&chained.hash);
        match self.format {
            ExportFormat::Ndjson => {
                into.push_str(&forms::to_value(&view).to_string());
                into.push('\n');
            }
            ExportFormat::Csv => {
                let fields = columns(&view, chained.event.changes.as_str());
                let quoted: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
                into.push_str(&quoted.join(","));
                into.push_str("\r\n");
            }
        }
    }
}

fn columns(view: &EventView, changes: &str) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let resource = view.resource.as_ref();
    let of_resource = |part: fn(&Subject) -> Option<String>| resource.and_then(part).unwrap_or_default();
    let context = &view.context;
    vec![
        view.id.to_string(),
        view.occurred_at.to_string(),
        view.action.clone(),
        view.result.as_str().to_owned(),
        text(&view.reason),
        view.actor.kind.to_string(),
        text(&view.actor.id),
        text(&view.actor.name),
        of_resource(|subject| Some(subject.kind.to_string())),
        of_resource(|subject| subject.id.clone()),
        of_resource(|subject| subject.name.clone()),
        view.tenant_id.map(|id| id.to_string()).unwrap_or_default(),
        view.partner_id.map(|id| id.to_string()).unwrap_or_default(),
        changes.to_owned(),
        text(&context.ip),
        text(&context.user_agent),
        text(&context.request_id),
        text(&context.session_id),
        text(&context.credential_id),
        view.hash.clone(),
    ]
}

/// A field in quotation marks; one that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}
