//! Between client and server: what happens to a request on its way.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// What the client hears; `None` is nothing: the connection ends.
pub(crate) type Answer = Option<Vec<u8>>;

/// Passes requests to a server.
pub(crate) struct Way {
    request: Vec<u8>,
    client: TcpStream,
}

impl Way {
    /// Sends the request on, and waits for the answer; `None` if there was none.
    pub(crate) fn pass(&self, server: &str) -> Answer {
        let mut connection = TcpStream::connect(server.trim_start_matches("http://")).ok()?;
        connection.write_all(&self.request).ok()?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }

    /// Waits until the client has given up.
    pub(crate) fn until_the_client_leaves(&self) {
        drop((&self.client).read(&mut [0]));
    }
}

/// An answer without a body of the tracker's.
pub(crate) fn refusal(status: u16) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} No\r\nretry-after: 0\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
    );
    head.into_bytes()
}

/// Starts a proxy, to whose requests (from 1) something happens; where it listens.
pub(crate) fn start(mut happens: impl FnMut(usize, &Way) -> Answer + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (index, client) in listener.incoming().enumerate() {
            let mut client = client.unwrap();
            let Some(request) = read(&client) else { continue };
            let way = Way { request, client: client.try_clone().unwrap() };
            if let Some(answer) = happens(index + 1, &way) {
                // The client may have left.
                drop(client.write_all(&answer));
            }
        }
    });
    url
}

/// One request, whose connection ends after it.
fn read(client: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some([head.as_bytes(), b"connection: close\r\n\r\n", &body].concat())
}
