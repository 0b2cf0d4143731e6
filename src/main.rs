//! The command `isolint`.

mod cli;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Not the default text: whoever meets a fault should know what to send us, and needs no backtrace to do so.
    std::panic::set_hook(Box::new(|fault| {
        let payload = fault.payload();
        let what = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let what = what.unwrap_or("no reason given");
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        // Nothing is left to do where even this cannot be written.
        let _ = writeln!(std::io::stderr(), "isolint {version}: internal error at {place}: {what}");
    }));
    std::panic::catch_unwind(cli::main).unwrap_or(ExitCode::from(cli::FAILED))
}
