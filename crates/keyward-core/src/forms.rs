//! Bodies of the admin API: strict, and clear about what is wrong.

use keyward_model::{FieldChange, Resource};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema,
    openapi::{RefOr, schema::Schema},
};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::{Error, FieldError};

/// The members of a type's JSON object, and those that it must have.
fn members<T: PartialSchema>() -> (Vec<String>, Vec<String>) {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => (object.properties.keys().cloned().collect(), object.required),
        _ => (Vec::new(), Vec::new()),
    }
}

/// Reads the body that creates an `R`.
pub(crate) fn new<R: Resource>(body: Value) -> Result<R::New, Error> {
    let readable = members::<R::View>().0;
    decode_among(body, &readable)
}

/// Reads a body that belongs to no resource.
pub(crate) fn decode<T: DeserializeOwned + PartialSchema>(body: Value) -> Result<T, Error> {
    let body = object(body)?;
    check_members::<T>(&body, &[])?;
    typed(Value::Object(body))
}

/// Reads a body that belongs to no resource and has rules of its own.
pub(crate) fn decode_valid<T: DeserializeOwned + PartialSchema + Validate>(body: Value) -> Result<T, Error> {
    let decoded: T = decode(body)?;
    decoded.validate().map_err(|errors| Error::Invalid(field_errors(&errors, "")))?;
    Ok(decoded)
}

/// Merges a patch (RFC 7396) into the changeable fields of `current`.
pub(crate) fn patched<R: Resource>(current: &R, patch: Value) -> Result<R::Edit, Error> {
    let patch = object(patch)?;
    let mut known = members::<R::View>().0;
    known.extend(members::<R::New>().0);
    refuse_unknown(&patch, &members::<R::Edit>().0, &known)?;
    let mut merged = to_value(&current.edit());
    merge(&mut merged, Value::Object(patch));
    decode_among(merged, &[])
}

fn decode_among<T: DeserializeOwned + PartialSchema + Validate>(
    body: Value,
    readable: &[String],
) -> Result<T, Error> {
    let body = object(body)?;
    check_members::<T>(&body, readable)?;
    let decoded: T = typed(Value::Object(body))?;
    decoded.validate().map_err(|errors| Error::Invalid(field_errors(&errors, "")))?;
    Ok(decoded)
}

fn object(body: Value) -> Result<Map<String, Value>, Error> {
    match body {
        Value::Object(members) => Ok(members),
        _ => Err(Error::field(FieldError::new("", "invalid_type", "The body must be a JSON object."))),
    }
}

fn check_members<T: PartialSchema>(body: &Map<String, Value>, readable: &[String]) -> Result<(), Error> {
    let (known, required) = members::<T>();
    refuse_unknown(body, &known, readable)?;
    let missing = required.iter().filter(|name| !body.contains_key(*name));
    let errors: Vec<FieldError> = missing
        .map(|name| FieldError::new(pointer(name), "required", format!("The field {name} is required.")))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn refuse_unknown(body: &Map<String, Value>, known: &[String], readable: &[String]) -> Result<(), Error> {
    let unknown = body.keys().filter(|name| !known.contains(name));
    let error = |name: &String| {
        if readable.contains(name) {
            return FieldError::new(
                pointer(name),
                "read_only",
                format!("The field {name} can't be set here."),
            );
        }
        FieldError::new(pointer(name), "unknown_field", format!("There is no field {name} here."))
    };
    let errors: Vec<FieldError> = unknown.map(error).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn typed<T: DeserializeOwned>(body: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let mut at = String::new();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Map { key } => at.push_str(&pointer(key)),
                serde_path_to_error::Segment::Seq { index } => at.push_str(&pointer(&index.to_string())),
                _ => {}
            }
        }
        let detail = error.into_inner().to_string();
        let code = if detail.starts_with("invalid type") { "invalid_type" } else { "invalid_value" };
        Error::field(FieldError::new(at, code, detail))
    })
}

fn field_errors(errors: &ValidationErrors, prefix: &str) -> Vec<FieldError> {
    let mut all = Vec::new();
    for (field, kind) in errors.errors() {
        // A rule about the whole object is reported at the object.
        let at = if field == "__all__" { prefix.to_owned() } else { format!("{prefix}{}", pointer(field)) };
        match kind {
            ValidationErrorsKind::Field(list) => all.extend(list.iter().map(|error| {
                let detail = error.message.as_deref().unwrap_or("The value is not valid.").to_owned();
                FieldError::new(&at, error.code.as_ref(), detail)
            })),
            ValidationErrorsKind::Struct(inner) => all.extend(field_errors(inner, &at)),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    all.extend(field_errors(inner, &format!("{at}/{index}")));
                }
            }
        }
    }
    all
}

/// RFC 7396 section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(members) = target {
        for (name, value) in patch {
            if value.is_null() {
                members.remove(&name);
            } else {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

/// A value that is known to be JSON.
pub(crate) fn to_value<T: serde::Serialize>(value: &T) -> Value {
    // The types that are rendered have text keys only, so this can't fail; `null` would show in any test.
    serde_json::to_value(value).unwrap_or_default()
}

/// What differs between two renderings of an object, field by field.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Vec::new() };
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let change = |(name, value): (&String, &Value)| FieldChange {
        field: name.clone(),
        from: before.get(name).cloned().unwrap_or_default(),
        to: value.clone(),
    };
    changed.map(change).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of RFC 7396 section 3.
    #[test]
    fn merges_as_the_rfc_does() {
        let mut document = json!({
            "title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"},
            "tags": ["example", "sample"], "content": "This will be unchanged"
        });
        merge(
            &mut document,
            json!({"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": null}, "tags": ["example"]}),
        );
        assert_eq!(
            document,
            json!({
                "title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"],
                "content": "This will be unchanged", "phoneNumber": "+01-123-456-7890"
            })
        );
    }
}
