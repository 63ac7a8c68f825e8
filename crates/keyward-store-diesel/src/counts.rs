//! How many records have each value of a field.

use std::collections::BTreeMap;

use diesel::QueryResult;
use keyward_model::{Field, Reach, Value};
use keyward_store::Query;

use crate::{
    connection::Conn,
    records::table,
    row::{FromRow, Row},
    select::{conditions, contains},
    sql::{join, sql},
    visible::{Way, covered_parts, live_many},
};

/// A value, and how many have it.
struct Counted {
    value: String,
    number: u64,
}

impl FromRow for Counted {
    fn from_row(row: &dyn Row) -> diesel::deserialize::Result<Self> {
        Ok(Self { value: row.text("counted")?, number: row.int("number")?.cast_unsigned() })
    }
}

/// How many of what the reach covers and the query selects have each value of a field.
pub(crate) fn count_by(
    conn: &mut Conn,
    reach: &Reach,
    query: &Query,
    field: Field,
) -> QueryResult<Vec<(Value, u64)>> {
    let Some((table, listed)) = table(query.kind).and_then(|table| Some((table, table.listed(field)?)))
    else {
        return Ok(Vec::new());
    };
    let mut wanted = conditions(table, &query.conditions);
    if let Some(text) = &query.search {
        wanted = wanted.sql(" AND ").append(contains(conn, table, text));
    }
    let column = listed.column;
    let mut parts = Vec::new();
    for covered in covered_parts(table, reach, Way::ByOwner) {
        let counted =
            sql(format!("SELECT r.{column} AS counted, COUNT(*) AS number FROM {} r WHERE ", table.name));
        let counted = counted.append(covered).append(live_many(table, reach)).append(wanted.clone());
        parts.push(counted.sql(format!(" AND r.{column} IS NOT NULL GROUP BY r.{column}")));
    }
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in join(parts, " UNION ALL ").rows::<Counted>(conn)? {
        *counts.entry(row.value).or_default() += row.number;
    }
    Ok(counts.into_iter().map(|(value, number)| (Value::text(value), number)).collect())
}
