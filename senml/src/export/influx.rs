//! InfluxDB line protocol.

use alloc::string::String;
use core::fmt::Write;

use crate::{Error, ErrorKind, Reading, Resolved, Time, Value, base64url};

impl Resolved {
    /// One line per reading: name and unit as tags, each kind of value as a field of its own (`value`, `string_value`,
    /// `bool_value`, `data_value` in base64url, `sum`, `update_time`; object links are strings), the time in nanoseconds. A reading of right now gets
    /// no time: the database then takes its own.
    ///
    /// # Errors
    /// [`ErrorKind::NotResolvable`] for a time relative to a now that was not given, or outside 64 bits.
    pub fn to_influx(&self, measurement: &str) -> Result<String, Error> {
        let mut lines = String::new();
        for (index, reading) in self.iter().enumerate() {
            reading
                .write_influx(measurement, &mut lines)
                .map_err(|error| error.in_record(index))?;
        }
        Ok(lines)
    }
}

impl Reading<'_> {
    /// Appends the line of [`Resolved::to_influx`].
    ///
    /// # Errors
    /// As there.
    pub fn write_influx(&self, measurement: &str, out: &mut String) -> Result<(), Error> {
        let time = match self.time {
            Time::NOW => None,
            Time::Absolute(nanos) => Some(nanos.to_i64().ok_or(Error::new(ErrorKind::NotResolvable))?),
            Time::Relative(_) => return Err(Error::new(ErrorKind::NotResolvable)),
        };
        escape(measurement, ", ", out);
        out.push_str(",name=");
        escape(self.name, ",= ", out);
        if let Some(unit) = self.unit.filter(|unit| !unit.is_empty()) {
            out.push_str(",unit=");
            escape(unit, ",= ", out);
        }
        let mut separator = ' ';
        self.influx_fields(|field, value| {
            out.push(separator);
            separator = ',';
            out.push_str(field);
            out.push('=');
            out.push_str(value);
        });
        if let Some(time) = time {
            let written = write!(out, " {time}");
            debug_assert!(written.is_ok());
        }
        out.push('\n');
        Ok(())
    }

    fn influx_fields(&self, mut field: impl FnMut(&str, &str)) {
        match self.value {
            Some(Value::Number(number)) => field("value", &alloc::format!("{number}")),
            Some(Value::Text(text) | Value::ObjectLink(text)) => field("string_value", &quoted(text)),
            Some(Value::Boolean(value)) => field("bool_value", if value { "true" } else { "false" }),
            Some(Value::Data(data)) => field("data_value", &quoted(&base64url::text(data))),
            None => {}
        }
        if let Some(sum) = self.sum {
            field("sum", &alloc::format!("{sum}"));
        }
        if let Some(update_time) = self.update_time {
            field("update_time", &alloc::format!("{update_time}"));
        }
    }
}

/// A backslash before each of `special`; line feeds, which nothing escapes, become spaces with one.
fn escape(text: &str, special: &str, out: &mut String) {
    for character in text.chars() {
        let character = if character == '\n' { ' ' } else { character };
        if special.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
}

/// A string field: quotes and backslashes are escaped, line feeds may stand.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}
