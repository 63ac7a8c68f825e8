//! Reading records.

use diesel::QueryResult;
use keyward_model::{AnyId, Field, Reach, Record, UniqueKey, Value};
use keyward_store::{Condition, Test};

use crate::{
    connection::Conn,
    dialect,
    records::{Listed, Table, table},
    sql::{Bind, Sql, join, sql},
    visible::{covered, live_one},
};

/// A condition that no row meets.
const NEVER: &str = "1 = 0";

fn select<'a>(table: &Table) -> Sql<'a> {
    let mut text = String::from("SELECT ");
    for (index, column) in table.all_columns().enumerate() {
        text.push_str(if index == 0 { "r." } else { ", r." });
        text.push_str(column);
    }
    sql(text).sql(" FROM ").sql(table.name).sql(" r WHERE ")
}

/// The record with this id.
pub(crate) fn get(conn: &mut Conn, reach: &Reach, id: AnyId) -> QueryResult<Option<Record>> {
    let Some(table) = table(id.kind) else { return Ok(None) };
    let Some(covered) = covered(table, reach) else { return Ok(None) };
    select(table)
        .sql("r.id = ")
        .bind(Bind::id(id))
        .sql(" AND ")
        .append(covered)
        .append(live_one(table))
        .row(conn)
}

/// The records with these ids, read kind by kind.
pub(crate) fn get_many(conn: &mut Conn, reach: &Reach, ids: &[AnyId]) -> QueryResult<Vec<Record>> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids.dedup();
    let mut found = Vec::with_capacity(ids.len());
    for of_kind in ids.chunk_by(|one, other| one.kind == other.kind) {
        let Some(table) = of_kind.first().and_then(|id| table(id.kind)) else { continue };
        let Some(covered) = covered(table, reach) else { continue };
        let named = sql("r.id IN (").binds(of_kind.iter().map(|id| Bind::id(*id))).sql(")").once();
        let query = select(table).append(named).sql(" AND ").append(covered).append(live_one(table));
        found.extend(query.rows::<Record>(conn)?);
    }
    Ok(found)
}

/// The record that holds this key.
pub(crate) fn find(conn: &mut Conn, reach: &Reach, key: &UniqueKey) -> QueryResult<Option<Record>> {
    let Some(table) = table(key.kind()) else { return Ok(None) };
    let Some(covered) = covered(table, reach) else { return Ok(None) };
    select(table).append(holds(key)).sql(" AND ").append(covered).append(live_one(table)).row(conn)
}

/// The id of the record that holds this key, whoever may see it.
pub(crate) fn holder(conn: &mut Conn, key: &UniqueKey) -> QueryResult<Option<String>> {
    let Some(table) = table(key.kind()) else { return Ok(None) };
    sql("SELECT r.id AS text FROM ")
        .sql(table.name)
        .sql(" r WHERE ")
        .append(holds(key))
        .sql(" AND r.deleted_at IS NULL")
        .row(conn)
}

/// The condition that a row has this key.
fn holds(key: &UniqueKey) -> Sql<'_> {
    match key {
        UniqueKey::PartnerSlug(slug) | UniqueKey::TenantSlug(slug) => is("slug", slug),
        UniqueKey::PermissionResource(resource) => is("resource", resource),
        UniqueKey::RoleName { tenant, name } | UniqueKey::GroupName { tenant, name } => {
            let named = is("name", name);
            match tenant {
                Some(tenant) => named.sql(" AND r.tenant_id = ").bind(Bind::id(*tenant)),
                None => named.sql(" AND r.tenant_id IS NULL"),
            }
        }
        UniqueKey::ClientId(client_id) => is("client_id", client_id),
        UniqueKey::UserEmail(email) => is("email_key", email),
        UniqueKey::Membership { group, user } => {
            sql("r.group_id = ").bind(Bind::id(*group)).sql(" AND r.user_id = ").bind(Bind::id(*user))
        }
        UniqueKey::Nesting { group, child } => {
            sql("r.group_id = ").bind(Bind::id(*group)).sql(" AND r.child_id = ").bind(Bind::id(*child))
        }
        UniqueKey::SigningKeyKid(kid) => is("kid", kid),
        UniqueKey::RevokedJti(jti) => is("name", jti).sql(" AND r.kind = 'jti'"),
        UniqueKey::AuthenticatorsOf(user) => sql("r.user_id = ").bind(Bind::id(*user)),
        UniqueKey::SubjectAtProvider { provider, subject } => {
            is("subject", subject).sql(" AND r.provider_id = ").bind(Bind::id(*provider))
        }
        UniqueKey::ApiKeyHash(hash) | UniqueKey::SessionHash(hash) => {
            sql("r.hash = ").bind(Bind::bytes(hash))
        }
        UniqueKey::PublishableKey(key) => is("publishable_key", key),
    }
}

/// The condition that a column has this text.
fn is<'a>(column: &'static str, text: &'a str) -> Sql<'a> {
    if is_unstorable(text) {
        return sql(NEVER);
    }
    sql("r.").sql(column).sql(" = ").bind(Bind::text(text))
}

/// Whether no text in the database can be or contain this one: PostgreSQL knows no NUL.
pub(crate) fn is_unstorable(text: &str) -> bool {
    text.contains('\0')
}

/// Behind another condition: that these hold as well.
pub(crate) fn conditions<'a>(table: &Table, conditions: &'a [Condition]) -> Sql<'a> {
    let and = |condition| sql(" AND ").append(holds_for(table, condition));
    conditions.iter().map(and).fold(Sql::default(), Sql::append)
}

fn holds_for<'a>(table: &Table, Condition { field, test }: &'a Condition) -> Sql<'a> {
    if let Test::HasAny(words) = test {
        return has_any(table, *field, words);
    }
    let Some(Listed { column, .. }) = table.listed(*field) else {
        return sql(if *test == Test::Is(Value::Null) { "1 = 1" } else { NEVER });
    };
    let column = sql("r.").sql(*column);
    let is_time = is_time(*field);
    match test {
        Test::Is(Value::Null) => column.sql(" IS NULL"),
        Test::Is(Value::Text(text)) if !is_time && !is_unstorable(text) => {
            column.sql(" = ").bind(Bind::text(text))
        }
        Test::Is(Value::Time(at)) if is_time => column.sql(" = ").bind(Bind::time(*at)),
        Test::OneOf(values) if !is_time => {
            let texts = values.iter().filter_map(|value| match value {
                Value::Text(text) if !is_unstorable(text) => Some(Bind::text(text)),
                _ => None,
            });
            let texts: Vec<Bind<'_>> = texts.collect();
            if texts.is_empty() { sql(NEVER) } else { column.sql(" IN (").binds(texts).sql(")").once() }
        }
        Test::Before(end) if is_time => column.sql(" < ").bind(Bind::time(*end)),
        Test::From(start) if is_time => column.sql(" >= ").bind(Bind::time(*start)),
        Test::Is(_) | Test::OneOf(_) | Test::HasAny(_) | Test::Before(_) | Test::From(_) => sql(NEVER),
    }
}

fn is_time(field: Field) -> bool {
    matches!(
        field,
        Field::CreatedAt
            | Field::UpdatedAt
            | Field::ExpiresAt
            | Field::RetiresFrom
            | Field::RevokedAt
            | Field::LastActiveAt
    )
}

/// The columns in which the words of a field stand: those of roles as JSON, those of permissions with spaces between.
fn columns_of_words(table: &Table, field: Field) -> &'static [&'static str] {
    match (table.name, field) {
        ("users" | "groups", Field::Roles) => &["r.roles"],
        ("applications", Field::Roles) => &["r.roles", "r.grants"],
        ("roles" | "api_keys", Field::Permissions) => &["' ' || r.permissions || ' '"],
        ("applications" | "agents", Field::Permissions) => &["' ' || r.allowed_scopes || ' '"],
        _ => &[],
    }
}

/// The condition that one of these words stands in a field of words.
fn has_any<'a>(table: &Table, field: Field, words: &[String]) -> Sql<'a> {
    let columns = columns_of_words(table, field);
    // Nothing else looks so in a database: identifiers stand between quotation marks, permissions between spaces.
    let wanted =
        words.iter().filter(|word| !is_unstorable(word) && !word.is_empty() && !word.contains([' ', '"']));
    let within = |word: &String| {
        let marked = if field == Field::Roles { format!("\"{word}\"") } else { format!(" {word} ") };
        columns.iter().map(move |column| {
            let without =
                sql("REPLACE(").sql(*column).sql(", ").bind(Bind::text(marked.clone())).sql(", '')");
            without.sql(" <> ").sql(*column)
        })
    };
    let parts: Vec<Sql<'a>> = wanted.flat_map(within).collect();
    if parts.is_empty() { sql(NEVER) } else { sql("(").append(join(parts, " OR ")).sql(")").once() }
}

/// The condition that one of the searched texts contains this one.
pub(crate) fn contains<'a>(conn: &Conn, table: &Table, text: &str) -> Sql<'a> {
    if is_unstorable(text) || table.searched.is_empty() {
        return sql(NEVER);
    }
    let mut pattern = String::from("%");
    for c in text.to_ascii_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    let like = |column: &&'static str| {
        dialect::folded(conn, column).sql(" LIKE ").bind(Bind::text(pattern.clone())).sql(" ESCAPE '\\'")
    };
    sql("(").append(join(table.searched.iter().map(like), " OR ")).sql(")")
}
