//! CSV. (RFC 4180)

use alloc::string::String;
use core::fmt::Write;

use crate::{Reading, Resolved, Value, base64url};

/// The columns, in their order.
const HEADER: &str = "time,name,unit,value,string_value,bool_value,data_value,sum,update_time\r\n";

impl Resolved {
    /// A header and one line per reading: time in seconds as SenML writes it, data in base64url, object links as
    /// strings, nothing where there is nothing.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut lines = String::from(HEADER);
        for reading in self.iter() {
            let written = reading.write_csv(&mut lines);
            debug_assert!(written.is_ok());
        }
        lines
    }
}

impl Reading<'_> {
    fn write_csv(&self, out: &mut String) -> core::fmt::Result {
        write!(out, "{},{},", self.time.to_seconds(), self.name)?;
        quote(self.unit.unwrap_or_default(), out);
        match self.value {
            None => out.push_str(",,,,"),
            Some(Value::Number(number)) => write!(out, ",{number},,,")?,
            Some(Value::Text(text) | Value::ObjectLink(text)) => {
                out.push_str(",,");
                quote(text, out);
                out.push_str(",,");
            }
            Some(Value::Boolean(value)) => write!(out, ",,,{value},")?,
            Some(Value::Data(data)) => write!(out, ",,,,{}", base64url::text(data))?,
        }
        for number in [self.sum, self.update_time] {
            match number {
                Some(number) => write!(out, ",{number}")?,
                None => out.push(','),
            }
        }
        out.push_str("\r\n");
        Ok(())
    }
}

/// Quotes where a comma, a quote or a line end asks for them.
fn quote(text: &str, out: &mut String) {
    if !text.contains([',', '"', '\r', '\n']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if character == '"' {
            out.push('"');
        }
        out.push(character);
    }
    out.push('"');
}
