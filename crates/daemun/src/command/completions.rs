//! `daemun completions` and `daemun man`: what shells and `man` need to know, made from the arguments
//! themselves.

use std::io::{self, Write as _};

use clap::{Args, Command};
use clap_complete::Shell;

use super::Status;

/// Arguments of `completions`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of a shell.
pub(crate) fn completions(arguments: &Arguments, mut command: Command) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "daemun", &mut script);
    print(&script)
}

/// Prints the manual page: the program, and then each of its commands.
pub(crate) fn man(mut command: Command) -> Status {
    // Gives the commands their full names: daemun-check.
    command.build();
    let mut page = Vec::new();
    let render = |page: &mut Vec<u8>| -> io::Result<()> {
        clap_mangen::Man::new(command.clone()).render(page)?;
        for command in command.get_subcommands() {
            clap_mangen::Man::new(command.clone()).render(page)?;
        }
        Ok(())
    };
    match render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => Status::unusable(&format!("The manual page could not be made: {error}.")),
    }
}

fn print(text: &[u8]) -> Status {
    match io::stdout().write_all(text) {
        // Whoever reads may stop reading.
        Ok(()) => Status::Fine,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Fine,
        Err(error) => Status::unusable(&format!("Standard output could not be written: {error}.")),
    }
}
