//! nginx as a reverse proxy before the source: HTTP/1.1 and kept connections on both sides, one process, no log.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::Error;
use crate::context::Context;
use crate::process::Process;

const START: Duration = Duration::from_secs(10);

/// Resolves when it listens.
pub(crate) async fn start(context: &Context, upstream: SocketAddr) -> Result<(Process, SocketAddr), Error> {
    // nginx takes no port 0: a port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder = context.folder.path();
    let config = folder.join("nginx.conf");
    fs::write(&config, text(&folder.to_string_lossy(), address, upstream))?;
    let mut command = Command::new("nginx");
    command.arg("-e").arg(folder.join("nginx.error.log"));
    command
        .arg("-c")
        .arg(&config)
        .arg("-p")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut process = Process::spawn(&mut command).map_err(missing)?;
    let began = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        process.check()?;
        if began.elapsed() > START {
            return Err("nginx didn't start".into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok((process, address))
}

fn missing(error: Error) -> Error {
    match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(ErrorKind::NotFound) => "nginx is missing: `apt-get install nginx-light`".into(),
        _ => error,
    }
}

fn text(folder: &str, address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 10000000;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    upstream source {{
        server {upstream};
        keepalive 128;
        keepalive_requests 10000000;
    }}
    server {{
        listen {address};
        location / {{
            proxy_pass http://source;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )
}
