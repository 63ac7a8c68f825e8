//! Reading rows by the names of their columns.

use std::{error::Error, marker::PhantomData, str::FromStr};

use chrono::NaiveDateTime;
use diesel::{
    connection::Connection as _,
    deserialize::{QueryableByName, Result},
    row::NamedRow,
    sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamp},
};
use keyward_model::{Record, Timestamp as Moment};
use serde::de::DeserializeOwned;

use crate::{connection::Conn, records};

/// What diesel calls the two databases together.
pub(crate) type Db = <Conn as diesel::Connection>::Backend;

/// The values of a row.
pub(crate) trait Row {
    fn text_opt(&self, column: &str) -> Result<Option<String>>;
    fn int_opt(&self, column: &str) -> Result<Option<i64>>;
    fn time_opt(&self, column: &str) -> Result<Option<Moment>>;
    fn flag(&self, column: &str) -> Result<bool>;
    fn bytes_opt(&self, column: &str) -> Result<Option<Vec<u8>>>;
}

impl dyn Row + '_ {
    pub(crate) fn text(&self, column: &str) -> Result<String> {
        self.text_opt(column)?.ok_or_else(|| missing(column))
    }

    pub(crate) fn int(&self, column: &str) -> Result<i64> {
        self.int_opt(column)?.ok_or_else(|| missing(column))
    }

    pub(crate) fn number_opt(&self, column: &str) -> Result<Option<u32>> {
        Ok(self.int_opt(column)?.map(u32::try_from).transpose()?)
    }

    pub(crate) fn time(&self, column: &str) -> Result<Moment> {
        self.time_opt(column)?.ok_or_else(|| missing(column))
    }

    /// A text that stands for something: an identifier, permissions, one of several values.
    pub(crate) fn parse<T: FromStr<Err: Error + Send + Sync + 'static>>(&self, column: &str) -> Result<T> {
        Ok(self.text(column)?.parse()?)
    }

    pub(crate) fn parse_opt<T: FromStr<Err: Error + Send + Sync + 'static>>(
        &self,
        column: &str,
    ) -> Result<Option<T>> {
        Ok(self.text_opt(column)?.map(|text| text.parse()).transpose()?)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        Ok(serde_json::from_str(&self.text(column)?)?)
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        self.bytes_opt(column)?.ok_or_else(|| missing(column))
    }

    pub(crate) fn hash(&self, column: &str) -> Result<[u8; 32]> {
        <[u8; 32]>::try_from(self.bytes(column)?)
            .map_err(|_| format!("{column} does not have 32 bytes").into())
    }
}

fn missing(column: &str) -> Box<dyn Error + Send + Sync> {
    format!("{column} has no value").into()
}

/// A row of diesel's.
struct Named<'r, 'a, R>(&'r R, PhantomData<&'a ()>);

impl<'a, R: NamedRow<'a, Db>> Row for Named<'_, 'a, R> {
    fn text_opt(&self, column: &str) -> Result<Option<String>> {
        NamedRow::get::<Nullable<Text>, Option<String>>(self.0, column)
    }

    fn int_opt(&self, column: &str) -> Result<Option<i64>> {
        NamedRow::get::<Nullable<BigInt>, Option<i64>>(self.0, column)
    }

    fn time_opt(&self, column: &str) -> Result<Option<Moment>> {
        let at = NamedRow::get::<Nullable<Timestamp>, Option<NaiveDateTime>>(self.0, column)?;
        Ok(at.map(|at| Moment::new(at.and_utc())))
    }

    fn flag(&self, column: &str) -> Result<bool> {
        NamedRow::get::<Bool, bool>(self.0, column)
    }

    fn bytes_opt(&self, column: &str) -> Result<Option<Vec<u8>>> {
        NamedRow::get::<Nullable<Binary>, Option<Vec<u8>>>(self.0, column)
    }
}

/// Something that is read from a row.
pub(crate) trait FromRow: Sized + 'static {
    fn from_row(row: &dyn Row) -> Result<Self>;
}

/// What a row was read as.
pub(crate) struct Read<T>(pub(crate) T);

impl<T: FromRow> QueryableByName<Db> for Read<T> {
    fn build<'a>(row: &impl NamedRow<'a, Db>) -> Result<Self> {
        T::from_row(&Named(row, PhantomData)).map(Self)
    }
}

impl FromRow for Record {
    fn from_row(row: &dyn Row) -> Result<Self> {
        records::read(row)
    }
}

impl crate::sql::Sql<'_> {
    /// All rows that it selects.
    pub(crate) fn rows<T: FromRow>(self, conn: &mut Conn) -> diesel::QueryResult<Vec<T>> {
        let rows: Vec<Read<T>> = diesel::RunQueryDsl::load(self, conn)?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The row that it selects, if there is one.
    pub(crate) fn row<T: FromRow>(self, conn: &mut Conn) -> diesel::QueryResult<Option<T>> {
        Ok(self.rows(conn)?.pop())
    }

    /// Executes it; returns how many rows it touched.
    pub(crate) fn run(self, conn: &mut Conn) -> diesel::QueryResult<usize> {
        conn.execute_returning_count(&self)
    }
}

/// A number in a column named `number`.
impl FromRow for i64 {
    fn from_row(row: &dyn Row) -> Result<Self> {
        row.int("number")
    }
}

/// A text in a column named `text`.
impl FromRow for String {
    fn from_row(row: &dyn Row) -> Result<Self> {
        row.text("text")
    }
}
