//! The backend behind every proxy: HTTP/1.1, keep-alive, one fixed answer.
//!
//! It shares its CPU with the load generator, so it does the least: one `epoll`, one read and one write
//! per request, an answer that was made beforehand. It counts what it answered, which is what the rig
//! divides a proxy's CPU time by. It understands GET without a body and nothing else.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use memchr::memmem::Finder;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fd::OwnedFd;

use crate::Failure;

const REQUESTS: u64 = 0;
const CONTROL: u64 = 1;
const FIRST_CONNECTION: u64 = 2;

/// Answers at `listen` and tells the count at `control` until the process ends.
pub(crate) fn run(listen: SocketAddr, control: SocketAddr, body: usize) -> Result<(), Failure> {
    let mut backend = Backend::bind(listen, control, body)?;
    let mut events = Vec::with_capacity(512);
    loop {
        epoll::wait(&backend.epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            match event.data.u64() {
                REQUESTS => backend.accept()?,
                CONTROL => backend.tell()?,
                connection => backend.serve(connection),
            }
        }
    }
}

struct Backend {
    epoll: OwnedFd,
    requests: TcpListener,
    control: TcpListener,
    connections: HashMap<u64, Connection>,
    next: u64,
    served: u64,
    answer: Vec<u8>,
    buffer: Vec<u8>,
    end_of_head: Finder<'static>,
}

struct Connection {
    stream: TcpStream,
    /// The bytes of a head that is not complete yet.
    begun: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
}

impl Backend {
    fn bind(listen: SocketAddr, control: SocketAddr, body: usize) -> Result<Self, Failure> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let requests = listener(&epoll, listen, REQUESTS)?;
        let control = listener(&epoll, control, CONTROL)?;
        Ok(Self {
            epoll,
            requests,
            control,
            connections: HashMap::new(),
            next: FIRST_CONNECTION,
            served: 0,
            answer: answer(body),
            buffer: vec![0; 16 * 1024],
            end_of_head: Finder::new(b"\r\n\r\n"),
        })
    }

    fn accept(&mut self) -> Result<(), Failure> {
        let Ok((stream, _)) = self.requests.accept() else {
            return Ok(());
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let key = self.next;
        self.next += 1;
        epoll::add(
            &self.epoll,
            &stream,
            epoll::EventData::new_u64(key),
            epoll::EventFlags::IN,
        )?;
        self.connections.insert(
            key,
            Connection {
                stream,
                begun: Vec::new(),
                unsent: Vec::new(),
            },
        );
        Ok(())
    }

    fn tell(&mut self) -> Result<(), Failure> {
        let Ok((mut stream, _)) = self.control.accept() else {
            return Ok(());
        };
        // Whoever asked may be gone: that is no reason to end.
        let _told = writeln!(stream, "{} {}", self.served, self.connections.len());
        Ok(())
    }

    fn serve(&mut self, key: u64) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        let alive = if connection.unsent.is_empty() {
            connection.read(
                &mut self.buffer,
                &self.answer,
                &self.end_of_head,
                &mut self.served,
            )
        } else {
            connection.flush()
        };
        let watched = alive.is_ok_and(|alive| alive) && connection.watch(&self.epoll, key).is_ok();
        if !watched {
            self.connections.remove(&key);
        }
    }
}

impl Connection {
    /// Reads once and answers what is complete. `false` when the other side has closed.
    fn read(
        &mut self,
        buffer: &mut [u8],
        answer: &[u8],
        end_of_head: &Finder<'_>,
        served: &mut u64,
    ) -> std::io::Result<bool> {
        let length = match self.stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        };
        let whole = self.begun.is_empty() && buffer[..length].ends_with(b"\r\n\r\n");
        let heads = if whole && end_of_head.find(&buffer[..length]) == Some(length - 4) {
            1
        } else {
            self.begun.extend_from_slice(&buffer[..length]);
            let (heads, used) = count_heads(end_of_head, &self.begun);
            self.begun.drain(..used);
            heads
        };
        for _ in 0..heads {
            *served += 1;
            self.send(answer)?;
        }
        Ok(true)
    }

    fn send(&mut self, answer: &[u8]) -> std::io::Result<()> {
        let sent = if self.unsent.is_empty() {
            match self.stream.write(answer) {
                Ok(sent) => sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            }
        } else {
            0
        };
        self.unsent.extend_from_slice(&answer[sent..]);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<bool> {
        match self.stream.write(&self.unsent) {
            Ok(sent) => drop(self.unsent.drain(..sent)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Waits for room while something is unsent. The common case changes nothing and costs nothing.
    fn watch(&self, epoll: &OwnedFd, key: u64) -> rustix::io::Result<()> {
        if self.unsent.capacity() == 0 {
            return Ok(());
        }
        let flags = if self.unsent.is_empty() {
            epoll::EventFlags::IN
        } else {
            epoll::EventFlags::OUT
        };
        epoll::modify(epoll, &self.stream, epoll::EventData::new_u64(key), flags)
    }
}

fn listener(epoll: &OwnedFd, address: SocketAddr, key: u64) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("The backend cannot listen on {address}: {error}."))?;
    listener.set_nonblocking(true)?;
    epoll::add(
        epoll,
        &listener,
        epoll::EventData::new_u64(key),
        epoll::EventFlags::IN,
    )?;
    Ok(listener)
}

fn answer(body: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {body}\r\n\r\n"
    );
    let mut answer = head.into_bytes();
    answer.resize(answer.len() + body, b'd');
    answer
}

/// How many heads end in `bytes`, and where the last one does.
fn count_heads(end_of_head: &Finder<'_>, bytes: &[u8]) -> (usize, usize) {
    let (mut heads, mut used) = (0, 0);
    while let Some(at) = end_of_head.find(&bytes[used..]) {
        used += at + 4;
        heads += 1;
    }
    (heads, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_complete_heads_and_keeps_the_rest() {
        let finder = Finder::new(b"\r\n\r\n");
        let two = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET";
        assert_eq!(count_heads(&finder, two), (2, two.len() - 3));
        assert_eq!(count_heads(&finder, b"GET / HTTP/1.1\r\n"), (0, 0));
    }

    #[test]
    fn answer_states_the_length_it_has() {
        let answer = answer(512);
        let head = Finder::new(b"\r\n\r\n").find(&answer).unwrap() + 4;
        assert_eq!(answer.len() - head, 512);
        assert!(String::from_utf8_lossy(&answer[..head]).contains("Content-Length: 512\r\n"));
    }
}
