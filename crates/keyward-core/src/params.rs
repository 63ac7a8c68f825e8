//! Query parameters of lists: strict, and clear about what is wrong.

use keyward_model::{AnyId, Field, Kind, Outcome, Resource, Timestamp, Value};
use keyward_store::{Condition, Cursor, Direction, EventQuery, Query, Test};

use crate::{Error, FieldError};

/// How many items a page has when nothing is said.
const PER_PAGE: u32 = 20;
/// How many items a page has at most.
const MAX_PER_PAGE: u32 = 100;

/// Decoded query parameters, of which each may occur once and none may be left over.
pub(crate) struct Params<'a> {
    left: Vec<(&'a str, &'a str)>,
}

fn wrong(name: &str, code: &str, detail: impl Into<String>) -> Error {
    Error::field(FieldError::new(name, code, detail))
}

impl<'a> Params<'a> {
    pub(crate) fn new(pairs: &'a [(String, String)]) -> Result<Self, Error> {
        let left: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for (index, (name, _)) in left.iter().enumerate() {
            if left[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(wrong(name, "repeated", format!("The parameter {name} occurs more than once.")));
            }
        }
        Ok(Self { left })
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<&'a str> {
        let index = self.left.iter().position(|(left, _)| *left == name)?;
        Some(self.left.swap_remove(index).1)
    }

    pub(crate) fn take_moment(&mut self, name: &str) -> Result<Option<Timestamp>, Error> {
        let parse = |text: &str| {
            Timestamp::parse(text).map_err(|error| wrong(name, "invalid_value", error.to_string()))
        };
        self.take(name).map(parse).transpose()
    }

    pub(crate) fn take_number(&mut self, name: &str, default: u32, max: u32) -> Result<u32, Error> {
        let Some(text) = self.take(name) else { return Ok(default) };
        match text.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ if max == u32::MAX => Err(Error::BadRequest(format!("{name} must be a whole number from 1."))),
            _ => Err(Error::BadRequest(format!("{name} must be a whole number from 1 to {max}."))),
        }
    }

    pub(crate) fn page(&mut self) -> Result<(u32, u32), Error> {
        Ok((self.take_number("page", 1, u32::MAX)?, self.take_number("per_page", PER_PAGE, MAX_PER_PAGE)?))
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        let unknown = |(name, _): &(&str, &str)| {
            FieldError::new(*name, "unknown_parameter", format!("There is no parameter {name} here."))
        };
        let errors: Vec<FieldError> = self.left.iter().map(unknown).collect();
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }
}

/// Reads the parameters of a list of `R`.
pub(crate) fn query<R: Resource>(pairs: &[(String, String)], now: Timestamp) -> Result<Query, Error> {
    let (within, expired) = ("expires_within_days", "expired");
    let expires = R::SORTS.contains(&Field::ExpiresAt);
    let is_mine = |(name, _): &(String, String)| expires && (name == within || name == expired);
    let (mine, others): (Vec<_>, Vec<_>) = pairs.iter().cloned().partition(is_mine);
    let mut query = query_of(R::KIND, R::SORTS, R::FILTERS, &others)?;
    let mut params = Params::new(&mine)?;
    let mut condition = |test| query.conditions.push(Condition { field: Field::ExpiresAt, test });
    match params.take(expired) {
        None => {}
        Some("true") => condition(Test::Before(now)),
        Some("false") => condition(Test::From(now)),
        Some(_) => return Err(wrong(expired, "invalid_value", "expired must be true or false.")),
    }
    if mine.iter().any(|(name, _)| name == within) {
        let days = params.take_number(within, 0, 36_500)?;
        condition(Test::From(now));
        condition(Test::Before(now.plus_seconds(i64::from(days) * 86_400)));
    }
    Ok(query)
}

/// Reads the parameters of a list that is sorted and filtered by these fields.
pub(crate) fn query_of(
    kind: Kind,
    sorts: &[Field],
    filters: &[Field],
    pairs: &[(String, String)],
) -> Result<Query, Error> {
    let mut params = Params::new(pairs)?;
    let (page, per_page) = params.page()?;
    let mut query = Query { page, per_page, ..Query::all(kind) };
    query.search = params.take("q").filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(sort) = params.take("sort") {
        let (name, direction) =
            sort.strip_prefix('-').map_or((sort, Direction::Ascending), |name| (name, Direction::Descending));
        let known = name.parse().ok().filter(|field| sorts.contains(field));
        query.sort = known.ok_or_else(|| wrong("sort", "invalid_value", sorted_by(sorts)))?;
        query.direction = direction;
    } else {
        query.sort = sorts.first().copied().unwrap_or(Field::CreatedAt);
    }
    for field in filters {
        if let Some(text) = params.take(field.as_str()) {
            query = query.with(*field, filter(*field, text)?);
        }
    }
    params.finish()?;
    Ok(query)
}

fn sorted_by(sorts: &[Field]) -> String {
    let names: Vec<&str> = sorts.iter().map(|field| field.as_str()).collect();
    format!("sort must be one of {}, with a hyphen in front for the greatest first.", names.join(", "))
}

fn filter(field: Field, text: &str) -> Result<Value, Error> {
    let is_id = matches!(field, Field::TenantId | Field::PartnerId | Field::UserId | Field::OwnerId);
    if is_id && text.parse::<AnyId>().is_err() {
        return Err(wrong(
            field.as_str(),
            "invalid_value",
            format!("{} must be an identifier.", field.as_str()),
        ));
    }
    let known: &[&str] = match field {
        Field::Status => &["active", "suspended", "disabled"],
        Field::Type => &["service", "web", "spa", "native"],
        Field::Reach => &["global", "partner", "tenant"],
        Field::AdminRole => &["super_admin", "partner_admin", "tenant_admin"],
        Field::Kind => &["oidc", "saml"],
        _ => &[],
    };
    if known.is_empty() || known.contains(&text) {
        return Ok(Value::text(text));
    }
    Err(wrong(
        field.as_str(),
        "invalid_value",
        format!("{} must be one of {}.", field.as_str(), known.join(", ")),
    ))
}

/// Reads the parameters of the audit list; the second number is the page, when it is counted in pages.
pub(crate) fn events(pairs: &[(String, String)]) -> Result<(EventQuery, Option<u32>), Error> {
    let mut params = Params::new(pairs)?;
    let (page, per_page) = params.page()?;
    let offset = u64::from(page - 1) * u64::from(per_page);
    let cursor =
        match params.take("cursor") {
            None => Cursor::Offset(offset),
            Some(text) => Cursor::Before(text.parse().map_err(|_| {
                wrong("cursor", "invalid_value", "cursor must be a next_cursor of this list.")
            })?),
        };
    let outcome: Option<Outcome> = params
        .take("result")
        .map(|text| {
            text.parse()
                .map_err(|_| wrong("result", "invalid_value", "result must be success, denied or failure."))
        })
        .transpose()?;
    let query = EventQuery {
        from: params.take_moment("from")?,
        to: params.take_moment("to")?,
        actor: params.take("actor").map(str::to_owned),
        action: params.take("action").map(str::to_owned),
        resource: params.take("resource").map(str::to_owned),
        tenant_id: params.take("tenant_id").map(str::to_owned),
        outcome,
        cursor,
        limit: per_page,
    };
    params.finish()?;
    let by_page = matches!(cursor, Cursor::Offset(_)).then_some(page);
    Ok((query, by_page))
}
