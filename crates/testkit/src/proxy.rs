//! A proxy: it makes tunnels for https (`CONNECT`) and forwards requests for http. Every host, whatever its name, is this machine.
//! It logs the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyRequest {
    /// `CONNECT host:port`, or `GET http://…`.
    pub line: String,
    /// The header `Proxy-Authorization`; empty if there is none.
    pub credentials: String,
}

/// A running proxy; it ends with the process.
pub struct Proxy {
    port: u16,
    log: Arc<Mutex<Vec<ProxyRequest>>>,
}

impl Proxy {
    /// Starts one that accepts only clients that send `credentials` (in the form of the header), or everybody.
    pub fn start(credentials: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let log: Arc<Mutex<Vec<ProxyRequest>>> = Arc::default();
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&shared);
                // A connection that breaks concerns only its client.
                std::thread::spawn(move || drop(serve(stream, credentials, &log)));
            }
        });
        Self { port, log }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<ProxyRequest> {
        self.log.lock().expect("a lock").clone()
    }
}

fn serve(client: TcpStream, wanted: Option<&str>, log: &Mutex<Vec<ProxyRequest>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut writer = client;
    let (line, headers) = head(&mut reader)?;
    let credentials = value(&headers, "proxy-authorization");
    let asked = line.rsplit_once(' ').map(|(asked, _)| asked.to_owned()).unwrap_or_default();
    log.lock().expect("a lock").push(ProxyRequest { line: asked.clone(), credentials: credentials.clone() });
    if wanted.is_some_and(|wanted| wanted != credentials) {
        let refused =
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n";
        return write!(writer, "{refused}Content-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let (method, target) = asked.split_once(' ').unwrap_or_default();
    if method == "CONNECT" {
        let mut server = to_port(target)?;
        write!(writer, "HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut back, mut client) = (server.try_clone()?, writer);
        let there = std::thread::spawn(move || {
            let _ = std::io::copy(&mut back, &mut client);
            let _ = client.shutdown(Shutdown::Write);
        });
        let _ = std::io::copy(&mut reader, &mut server);
        let _ = server.shutdown(Shutdown::Write);
        let _ = there.join();
        return Ok(());
    }
    // Each connection carries one request.
    let (authority, path) = target.trim_start_matches("http://").split_once('/').unwrap_or_default();
    let mut server = to_port(authority)?;
    write!(server, "{method} /{path} HTTP/1.1\r\nConnection: close\r\n")?;
    for header in headers.iter().filter(|it| !it.to_ascii_lowercase().starts_with("proxy-")) {
        write!(server, "{header}\r\n")?;
    }
    write!(server, "\r\n")?;
    let length = value(&headers, "content-length").parse().unwrap_or(0);
    std::io::copy(&mut reader.by_ref().take(length), &mut server)?;
    std::io::copy(&mut server, &mut writer)?;
    writer.shutdown(Shutdown::Both)
}

fn to_port(authority: &str) -> std::io::Result<TcpStream> {
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or(80);
    TcpStream::connect(("127.0.0.1", port))
}

fn head(reader: &mut impl BufRead) -> std::io::Result<(String, Vec<String>)> {
    let (mut line, mut headers) = (String::new(), Vec::new());
    reader.read_line(&mut line)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end();
        if header.is_empty() {
            return Ok((line.trim_end().to_owned(), headers));
        }
        headers.push(header.to_owned());
    }
}

fn value(headers: &[String], name: &str) -> String {
    let found = headers.iter().find_map(|header| {
        let (key, value) = header.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}
