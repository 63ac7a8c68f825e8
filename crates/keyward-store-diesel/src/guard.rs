//! Guards: bounds for how many records there may be.

use diesel::QueryResult;
use keyward_model::Value;
use keyward_store::{Condition, Guard, Test};

use crate::{commit::require, connection::Conn, dialect, error::Failure, list::number};

/// Lets no other change with a guard of the same kind and conditions begin until the transaction ends. Comes before
/// anything else is written or read, so that what is counted later includes what the others committed; and always in the
/// same order, so that changes do not wait for each other in a circle.
pub(crate) fn lock(conn: &mut Conn, guards: &[Guard]) -> QueryResult<()> {
    let mut keys: Vec<i64> = guards.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    dialect::lock_keys(conn, &keys)
}

/// Counts, once all records are put.
pub(crate) fn check(conn: &mut Conn, guards: &[Guard]) -> Result<(), Failure> {
    for Guard { kind, conditions, at_least, at_most } in guards {
        let number = number(conn, *kind, conditions)?;
        require((*at_least..=*at_most).contains(&number))?;
    }
    Ok(())
}

/// The same number for the same kind and conditions, in whatever order, in every process of every version: FNV-1a.
/// That others may have it too only costs time.
fn key(Guard { kind, conditions, .. }: &Guard) -> i64 {
    let mut texts: Vec<String> = conditions.iter().map(text).collect();
    texts.sort_unstable();
    texts.dedup();
    texts.push(kind.name().to_owned());
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}

fn text(Condition { field, test }: &Condition) -> String {
    let field = field.as_str();
    match test {
        Test::Is(Value::Null) => format!("{field} is null"),
        Test::Is(Value::Text(text)) => format!("{field} = {text}"),
        Test::Is(Value::Time(at)) => format!("{field} at {at}"),
        Test::OneOf(values) => format!("{field} among {values:?}"),
        Test::HasAny(words) => format!("{field} with any of {words:?}"),
        Test::Before(end) => format!("{field} before {end}"),
        Test::From(start) => format!("{field} from {start}"),
    }
}
