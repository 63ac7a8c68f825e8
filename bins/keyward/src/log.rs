//! Structured logs without secrets.

use std::io::Write;

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::settings::Settings;

/// Starts logging to standard error.
pub(crate) fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Masked);
    // A logger that is there already, in a test for example, stays.
    let _ = if settings.log_json { log.json().flatten_event(true).try_init() } else { log.try_init() };
}

/// Standard error, with everything masked that has the form of a credential.
struct Masked;

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// One line of the log.
struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        std::io::stderr().lock().write_all(keyward_core::mask(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
