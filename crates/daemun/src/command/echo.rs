//! `daemun echo`: something to answer behind a gateway, for trying out configurations. It is the backend
//! that `daemun run` has built in, at addresses of one's own choice.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;
use daemun_base::signals::{Signal, Signals};
use daemun_base::tasks::Tasks;

use super::Status;

/// Arguments of `echo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Where to listen: a port of this host's loopback interface, or an address with a port
    #[arg(value_name = "ADDRESS", default_value = "9001", value_parser = address)]
    addresses: Vec<SocketAddr>,
}

/// Answers until it is told to stop.
pub(crate) fn echo(arguments: &Arguments) -> Status {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Status::unusable(&format!("There is no runtime: {error}.")),
    };
    match runtime.block_on(answer(&arguments.addresses)) {
        Ok(()) => Status::Fine,
        Err(sentence) => Status::unusable(&sentence),
    }
}

async fn answer(addresses: &[SocketAddr]) -> Result<(), String> {
    let mut signals =
        Signals::new().map_err(|error| format!("Signals cannot be handled: {error}."))?;
    let tasks = Tasks::default();
    for address in addresses {
        let bound = crate::echo::start_at(*address, &tasks).await;
        let bound = bound.map_err(|error| format!("{address} cannot be bound: {error}."))?;
        println!("The echo backend answers on http://{bound}");
    }
    while signals.next().await != Signal::Stop {}
    Ok(())
}

fn address(written: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = written.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    written
        .parse()
        .map_err(|_| "write a port (9001), or an address with a port (0.0.0.0:9001)".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_port_alone_is_one_of_loopback() {
        assert_eq!(super::address("9001"), Ok(([127, 0, 0, 1], 9001).into()));
        assert_eq!(super::address("0.0.0.0:80"), Ok(([0, 0, 0, 0], 80).into()));
        assert!(super::address("90000").is_err());
        assert!(super::address("localhost").is_err());
    }
}
