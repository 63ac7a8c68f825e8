//! SQL with values bound to it: the one way in which this adapter speaks to a database.
//!
//! Why not diesel's query DSL: lists choose table, filters and order at run time, for every kind alike. With the DSL over
//! two backends that takes boxed queries whose types differ for each kind, so code for each kind. Text with typed binds
//! is one piece of code for all kinds and both databases. Diesel still numbers the binds (`?` or `$1`), encodes and
//! decodes values, and keeps statements prepared, which its own `sql_query` would not.

use std::{borrow::Cow, marker::PhantomData};

use chrono::NaiveDateTime;
use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Binary, Bool, HasSqlType, Nullable, Text, Timestamp, Untyped},
};
use keyward_model::{AnyId, Timestamp as Moment};

/// A value of a column.
#[derive(Clone, Debug)]
pub(crate) enum Bind<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Flag(bool),
    Time(NaiveDateTime),
    Bytes(Cow<'a, [u8]>),
    NullText,
    NullInt,
    NullTime,
    NullBytes,
}

impl<'a> Bind<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn text_opt(text: Option<&'a str>) -> Self {
        text.map_or(Self::NullText, Self::text)
    }

    pub(crate) fn id(id: impl Into<AnyId>) -> Self {
        Self::text(id.into().to_string())
    }

    pub(crate) fn id_opt(id: Option<impl Into<AnyId>>) -> Self {
        id.map_or(Self::NullText, Self::id)
    }

    /// A list or an open document, as JSON. What can't be serialised does not exist in the model.
    pub(crate) fn json(value: &impl serde::Serialize) -> Self {
        Self::text(serde_json::to_string(value).unwrap_or_default())
    }

    pub(crate) fn int_opt(number: Option<u32>) -> Self {
        number.map_or(Self::NullInt, |number| Self::Int(number.into()))
    }

    pub(crate) fn time(at: Moment) -> Self {
        Self::Time(at.as_chrono().naive_utc())
    }

    pub(crate) fn time_opt(at: Option<Moment>) -> Self {
        at.map_or(Self::NullTime, Self::time)
    }

    pub(crate) fn bytes(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes.into())
    }

    pub(crate) fn bytes_opt(bytes: Option<&'a [u8]>) -> Self {
        bytes.map_or(Self::NullBytes, Self::bytes)
    }
}

/// A statement in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql<'a> {
    parts: Vec<Part<'a>>,
    once: bool,
}

#[derive(Clone, Debug)]
enum Part<'a> {
    Sql(Cow<'static, str>),
    Bind(Bind<'a>),
}

/// A statement that begins with this text.
pub(crate) fn sql<'a>(text: impl Into<Cow<'static, str>>) -> Sql<'a> {
    Sql::default().sql(text)
}

impl<'a> Sql<'a> {
    /// Goes on with this text.
    #[must_use]
    pub(crate) fn sql(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.parts.push(Part::Sql(text.into()));
        self
    }

    /// Goes on with this value.
    #[must_use]
    pub(crate) fn bind(mut self, bind: Bind<'a>) -> Self {
        self.parts.push(Part::Bind(bind));
        self
    }

    /// Goes on with these values, separated by commas.
    #[must_use]
    pub(crate) fn binds(mut self, binds: impl IntoIterator<Item = Bind<'a>>) -> Self {
        for (index, bind) in binds.into_iter().enumerate() {
            if index > 0 {
                self = self.sql(", ");
            }
            self = self.bind(bind);
        }
        self
    }

    /// Goes on with another piece.
    #[must_use]
    pub(crate) fn append(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self.once |= other.once;
        self
    }

    /// Not kept prepared: there would be no end of statements like it.
    #[must_use]
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// The pieces with `between` between them.
pub(crate) fn join<'a>(pieces: impl IntoIterator<Item = Sql<'a>>, between: &'static str) -> Sql<'a> {
    pieces.into_iter().reduce(|all, piece| all.sql(between).append(piece)).unwrap_or_default()
}

/// A database that knows the types of all columns.
pub(crate) trait Columns:
    Backend
    + HasSqlType<Text>
    + HasSqlType<BigInt>
    + HasSqlType<Bool>
    + HasSqlType<Timestamp>
    + HasSqlType<Binary>
    + HasSqlType<Nullable<Text>>
    + HasSqlType<Nullable<BigInt>>
    + HasSqlType<Nullable<Timestamp>>
    + HasSqlType<Nullable<Binary>>
{
}

impl<DB> Columns for DB where
    DB: Backend
        + HasSqlType<Text>
        + HasSqlType<BigInt>
        + HasSqlType<Bool>
        + HasSqlType<Timestamp>
        + HasSqlType<Binary>
        + HasSqlType<Nullable<Text>>
        + HasSqlType<Nullable<BigInt>>
        + HasSqlType<Nullable<Timestamp>>
        + HasSqlType<Nullable<Binary>>
{
}

const NO_TEXT: Option<String> = None;
const NO_INT: Option<i64> = None;
const NO_TIME: Option<NaiveDateTime> = None;
const NO_BYTES: Option<Vec<u8>> = None;

impl<DB> QueryFragment<DB> for Bind<'_>
where
    DB: Columns,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
    NaiveDateTime: ToSql<Timestamp, DB>,
    [u8]: ToSql<Binary, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    Option<NaiveDateTime>: ToSql<Nullable<Timestamp>, DB>,
    Option<Vec<u8>>: ToSql<Nullable<Binary>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match self {
            Self::Text(text) => out.push_bind_param::<Text, str>(text),
            Self::Int(number) => out.push_bind_param::<BigInt, i64>(number),
            Self::Flag(flag) => out.push_bind_param::<Bool, bool>(flag),
            Self::Time(at) => out.push_bind_param::<Timestamp, NaiveDateTime>(at),
            Self::Bytes(bytes) => out.push_bind_param::<Binary, [u8]>(bytes),
            Self::NullText => out.push_bind_param::<Nullable<Text>, Option<String>>(&NO_TEXT),
            Self::NullInt => out.push_bind_param::<Nullable<BigInt>, Option<i64>>(&NO_INT),
            Self::NullTime => out.push_bind_param::<Nullable<Timestamp>, Option<NaiveDateTime>>(&NO_TIME),
            Self::NullBytes => out.push_bind_param::<Nullable<Binary>, Option<Vec<u8>>>(&NO_BYTES),
        }
    }
}

impl<DB: Columns> QueryFragment<DB> for Sql<'_>
where
    for<'b> Bind<'b>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.once {
            out.unsafe_to_cache_prepared();
        }
        for part in &self.parts {
            match part {
                Part::Sql(text) => out.push_sql(text),
                Part::Bind(bind) => bind.walk_ast(out.reborrow())?,
            }
        }
        Ok(())
    }
}

/// An INSERT of rows that is always the same, by the type that stands for it.
pub(crate) trait Statement: 'static {
    /// Everything in front of the values.
    const HEAD: &'static str;
    /// Everything behind them.
    const TAIL: &'static str = "";
}

/// The insertion of one row. Its prepared statement is found by its type; that of [`Sql`] by its text, which takes longer
/// to put together than a row takes to insert. Whatever its values, the text must be the same: so must be their number.
///
/// For SQLite, which has times as text: written here as diesel writes them, without reading their format every time.
pub(crate) struct Row<'a, S> {
    values: Vec<Bind<'a>>,
    statement: PhantomData<S>,
}

impl<'a, S: Statement> Row<'a, S> {
    pub(crate) fn new(mut values: Vec<Bind<'a>>) -> Self {
        for value in &mut values {
            if let Bind::Time(at) = value {
                *value = Bind::text(at.to_string());
            }
        }
        Self { values, statement: PhantomData }
    }
}

impl<S: Statement, DB: Columns> QueryFragment<DB> for Row<'_, S>
where
    for<'b> Bind<'b>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(S::HEAD);
        for (index, value) in self.values.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", " });
            value.walk_ast(out.reborrow())?;
        }
        out.push_sql(")");
        out.push_sql(S::TAIL);
        Ok(())
    }
}

impl<S: Statement> QueryId for Row<'_, S> {
    type QueryId = Row<'static, S>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for Sql<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql<'_> {
    type SqlType = Untyped;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Sql<'_> {}
