//! `manywire senml`: packs from standard input, resolved, compacted, converted or checked.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use manywire_senml::{Decimals, Error, Format, Nanos, Number, Pack, Resolved};
use serde_json::json;

/// Looks inside SenML packs: one pack on standard input, the answer on standard output.
///
/// A pack that is refused ends the command with exit status 1 and one JSON object that says why: `error`, `record` (the
/// first is 0), `at` (the byte) and `rule` (the section of the standard).
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(crate) struct SenmlArgs {
    #[command(subcommand)]
    command: SenmlCommand,
}

#[derive(Debug, Subcommand)]
enum SenmlCommand {
    /// What every record means on its own, in chronological order.
    Resolve(Transfer),
    /// The same meaning in the fewest bytes.
    Compact(Transfer),
    /// The same records in another format.
    Convert(Transfer),
    /// Nothing if the pack is right; exit status 1 and the reason if it is not.
    Check(Input),
}

#[derive(Debug, Args)]
struct Input {
    /// The format of the pack on standard input.
    #[arg(long)]
    from: InputFormat,
}

#[derive(Debug, Args)]
struct Transfer {
    #[command(flatten)]
    input: Input,
    /// The format to print: JSON for `resolve`, that of the input otherwise, unless this says another.
    #[arg(long)]
    to: Option<OutputFormat>,
    /// What relative times count from, in seconds since 1970; without it they stay relative.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    now: Option<Number>,
    /// Write decimals as floats in CBOR, for receivers that do not read decimal fractions.
    #[arg(long)]
    floats: bool,
    /// The measurement in InfluxDB's line protocol.
    #[arg(long, default_value = "senml")]
    measurement: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InputFormat {
    Json,
    Cbor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Json,
    Cbor,
    Csv,
    Influx,
}

/// Runs the command on standard input and output.
pub(crate) fn run(args: &SenmlArgs) -> ExitCode {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    let (answer, code) = match read {
        Err(error) => return report_io(&error),
        Ok(_) => match answer(&args.command, &bytes) {
            Ok(answer) => (answer, ExitCode::SUCCESS),
            Err(error) => (describe(&error), ExitCode::FAILURE),
        },
    };
    let mut output = io::stdout().lock();
    match output.write_all(&answer).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => report_io(&error),
        _ => code,
    }
}

fn report_io(error: &io::Error) -> ExitCode {
    eprintln!("manywire senml: {error}");
    ExitCode::FAILURE
}

/// The reason as one line of JSON.
fn describe(error: &Error) -> Vec<u8> {
    let object = json!({
        "error": error.kind().to_string(),
        "record": error.record(),
        "at": error.at(),
        "rule": error.rule(),
    });
    format!("{object}\n").into_bytes()
}

/// What the command prints.
fn answer(command: &SenmlCommand, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let read = |input: &Input| manywire_senml::from_slice(bytes, input.from.format());
    match command {
        SenmlCommand::Check(input) => read(input).map(|_| Vec::new()),
        SenmlCommand::Resolve(transfer) => {
            let resolved = read(&transfer.input)?.resolve(transfer.now())?;
            transfer.print(&resolved.to_pack()?, &resolved, OutputFormat::Json)
        }
        SenmlCommand::Compact(transfer) => {
            let pack = read(&transfer.input)?;
            let resolved = pack.resolve(transfer.now())?;
            let format = match transfer.to {
                Some(OutputFormat::Cbor) => Format::Cbor,
                Some(_) => Format::Json,
                None => transfer.input.from.format(),
            };
            let pack = resolved.to_pack()?.compact(format)?;
            transfer.print(&pack, &resolved, transfer.input.from.same())
        }
        SenmlCommand::Convert(transfer) => {
            let pack = read(&transfer.input)?;
            let resolved = pack.resolve(transfer.now())?;
            transfer.print(&pack, &resolved, transfer.input.from.same())
        }
    }
}

impl Transfer {
    fn now(&self) -> Option<Nanos> {
        self.now.map(Nanos::from)
    }

    /// The pack, or the readings in it, in the format asked for.
    fn print(&self, pack: &Pack, resolved: &Resolved, default: OutputFormat) -> Result<Vec<u8>, Error> {
        let decimals = if self.floats {
            Decimals::Floats
        } else {
            Decimals::Fractions
        };
        let mut bytes = match self.to.unwrap_or(default) {
            OutputFormat::Json => pack.to_vec_or_empty(Format::Json, decimals)?,
            OutputFormat::Cbor => return pack.to_vec_or_empty(Format::Cbor, decimals),
            OutputFormat::Csv => return Ok(resolved.to_csv().into_bytes()),
            OutputFormat::Influx => return resolved.to_influx(&self.measurement).map(String::into_bytes),
        };
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl InputFormat {
    const fn format(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Cbor => Format::Cbor,
        }
    }

    const fn same(self) -> OutputFormat {
        match self {
            Self::Json => OutputFormat::Json,
            Self::Cbor => OutputFormat::Cbor,
        }
    }
}
