//! The language server: findings in the editor, while the code is written.
//!
//! One loop listens to the client and to the worker ([`server`]); the worker analyses whole projects ([`worker`], [`analyst`]), with
//! open documents in the place of their files, and only the newest state. What it found becomes diagnostics, actions and hovers.

mod actions;
mod analyst;
mod books;
mod client;
mod diagnostics;
mod documents;
mod hover;
mod place;
mod server;
mod stdio;
mod uri;
mod worker;

use lsp_server::Connection;
use std::path::PathBuf;

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The configuration file, instead of those of the projects.
    pub config: Option<PathBuf>,
    /// No configuration file is read.
    pub isolated: bool,
    /// Rules in preview are on.
    pub preview: bool,
    /// Threads; 0 for as many as the process may use.
    pub jobs: usize,
}

/// Serves a client on standard input and output until it leaves. Whether it left as the protocol wants it: `shutdown`, then `exit`.
pub fn run(options: Options) -> bool {
    let (connection, writer) = stdio::connect();
    let sound = serve(&connection, options);
    // The last answers are on their way until the writer has none left.
    drop(connection);
    let _ = writer.join();
    sound
}

/// The same over any connection.
pub fn serve(connection: &Connection, options: Options) -> bool {
    server::serve(connection, options)
}
