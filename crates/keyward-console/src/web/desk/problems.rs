//! What the core refuses, told at the fields of a form.

use actix_web::http::StatusCode;
use keyward_core::{Error, FieldError};

use super::doc::capital;
use crate::{
    FieldProblem, Problems,
    component::{Input, Part},
};

/// The field that a pointer means: the whole path when there is a field by it, else its first step.
fn field(pointer: &str, known: &[&Input]) -> String {
    let whole = pointer.trim_start_matches('/').replace('/', ".");
    if known.iter().any(|input| input.name == whole) {
        return whole;
    }
    whole.split('.').next().unwrap_or_default().to_owned()
}

/// A sentence about a field.
fn sentence(label: &str, detail: &str) -> String {
    let mut text = detail.trim_end_matches('.').to_owned();
    if text.starts_with("must ") || text.starts_with("can't ") || text.starts_with("a ") {
        text = format!("{label} {text}");
    }
    format!("{}.", capital(&text))
}

/// That a value is another one's already, at its field, where the refusal names one.
fn taken(code: &str, detail: &str, known: &[&Input]) -> Option<Problems> {
    let field = detail.strip_suffix(" already.").filter(|_| code == "taken")?.rsplit(' ').next()?;
    let input = known.iter().find(|input| input.name == field)?;
    let text = format!("Another one has this {} already.", label_within(&input.label));
    Some(Problems::field(input.name.clone(), text))
}

/// A label as it stands in a sentence: `E-mail` is `e-mail`, and `Client ID` is `client ID`.
fn label_within(label: &str) -> String {
    let mut letters = label.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What is wrong, without a form to tell it at.
pub(super) fn sentences(errors: &[FieldError]) -> String {
    let each = errors.iter().map(|error| sentence(error.pointer.trim_start_matches('/'), &error.detail));
    each.collect::<Vec<_>>().join(" ")
}

/// What to say at a form, and with which status; none when there is no form to say it at.
pub(super) fn at_form(error: &Error, parts: &[Part]) -> Option<(StatusCode, Problems)> {
    let known: Vec<&Input> = parts.iter().flat_map(Part::inputs).collect();
    match error {
        Error::Invalid(errors) => {
            let mut problems = Problems::default();
            for error in errors {
                let name = field(&error.pointer, &known);
                let input = known.iter().find(|input| input.name == name);
                let label = input.map_or_else(|| name.clone(), |input| input.label.clone());
                let text = sentence(&label, &error.detail);
                if input.is_some() {
                    problems.fields.push(FieldProblem { name: name.into(), text });
                } else {
                    let said = problems.message.take().map(|said| format!("{said} ")).unwrap_or_default();
                    problems.message = Some(format!("{said}{text}"));
                }
            }
            Some((StatusCode::UNPROCESSABLE_ENTITY, problems))
        }
        Error::Conflict { code, detail } => {
            let problems = taken(code, detail, &known).unwrap_or_else(|| Problems::message(detail.clone()));
            Some((StatusCode::CONFLICT, problems))
        }
        Error::LimitReached { limit, used, detail } => {
            let text = format!("{detail} There are {used} of {limit}.");
            Some((StatusCode::CONFLICT, Problems::message(text)))
        }
        Error::Forbidden { detail, .. } => {
            Some((StatusCode::FORBIDDEN, Problems::message(format!("{detail}."))))
        }
        Error::BadRequest(text) => Some((StatusCode::BAD_REQUEST, Problems::message(text.clone()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_stand_at_their_fields() {
        let parts =
            [Part::from(Input::line("name", "Name", "")), Input::line("config.issuer", "Issuer", "").into()];
        let errors = ["/name", "/config/issuer", "/elsewhere"]
            .map(|pointer| FieldError::new(pointer, "invalid", "must be good"));
        let (status, problems) = at_form(&Error::Invalid(errors.to_vec()), &parts).unwrap();
        assert_eq!(status, 422);
        let told: Vec<_> = problems.fields.iter().map(|problem| (&*problem.name, &*problem.text)).collect();
        assert_eq!(told, [("name", "Name must be good."), ("config.issuer", "Issuer must be good.")]);
        assert_eq!(problems.message.as_deref(), Some("Elsewhere must be good."));
        let detail = "Another partner has this name already.".to_owned();
        let (status, problems) = at_form(&Error::Conflict { code: "taken", detail }, &parts).unwrap();
        assert_eq!((status.as_u16(), problems.message), (409, None));
        assert_eq!(&*problems.fields[0].text, "Another one has this name already.");
    }
}
