//! Which process has a port, as far as `/proc` shows it to this user. For error messages only.

use std::fs;
use std::path::Path;

use daemun_model::names::Transport;

/// A process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its number.
    pub(crate) process: u32,
    /// Its command's name.
    pub(crate) name: String,
}

/// The process that listens on a port of this host, if it can be seen; this process, if it is one of several.
pub(crate) fn of_port(port: u16, transport: Transport) -> Option<Owner> {
    let tables = match transport {
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let inodes: Vec<String> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port, transport))
        .collect();
    let links: Vec<String> = inodes
        .iter()
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if links.is_empty() {
        return None;
    }
    let own = std::process::id();
    let others = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse::<u32>().ok()
    });
    let process = std::iter::once(own)
        .chain(others)
        .find(|process| has_one_of(*process, &links))?;
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    Some(Owner {
        process,
        name: name.trim().to_owned(),
    })
}

/// The inodes of sockets that listen on a port, from a table like `/proc/net/tcp`.
fn listening_inodes(table: &str, port: u16, transport: Transport) -> Vec<String> {
    // TCP_LISTEN; a UDP socket that is not connected is told as TCP_CLOSE.
    let listening = match transport {
        Transport::Tcp => "0A",
        Transport::Udp => "07",
    };
    let rows = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|row| {
        let (local, state, inode) = (row.get(1)?, row.get(3)?, row.get(9)?);
        let (_, local_port) = local.rsplit_once(':')?;
        let listens = *state == listening && u16::from_str_radix(local_port, 16) == Ok(port);
        listens.then(|| (*inode).to_owned())
    })
    .collect()
}

fn has_one_of(process: u32, links: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let target = fs::read_link(file.path());
        target.is_ok_and(|target| links.iter().any(|link| Path::new(link) == target))
    })
}

#[cfg(test)]
mod tests {
    use daemun_model::names::Transport;

    use super::{listening_inodes, of_port};

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 x\n\
               1: 0100007F:1F90 0100007F:8F90 01 00000000:00000000 00:00000000 00000000     0        0 222 1 x\n\
               2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 x\n";
        assert_eq!(listening_inodes(table, 0x1f90, Transport::Tcp), ["111"]);
    }

    #[test]
    fn this_process_finds_itself() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let owner = of_port(socket.local_addr().unwrap().port(), Transport::Tcp).unwrap();
        assert_eq!(owner.process, std::process::id());
        assert!(!owner.name.is_empty());
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let owner = of_port(socket.local_addr().unwrap().port(), Transport::Udp).unwrap();
        assert_eq!(owner.process, std::process::id());
    }
}
