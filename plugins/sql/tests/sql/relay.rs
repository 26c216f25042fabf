//! Stands between the source and the server, and cuts.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) struct Relay {
    pub(crate) port: u16,
    mode: watch::Sender<Mode>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Mode {
    /// Every connection ends at once.
    Closed,
    /// The next answer ends in the middle.
    Cut,
    Open,
}

impl Relay {
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let mode = watch::Sender::new(Mode::Open);
        let watched = mode.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, watched.clone()));
            }
        });
        Self { port, mode }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn pass(client: TcpStream, server: u16, mode: watch::Receiver<Mode>) {
    let mut closing = mode.clone();
    let closed = async move { closing.wait_for(|mode| *mode == Mode::Closed).await.is_ok() };
    tokio::select! {
        _ = closed => {}
        () = relay(client, server, mode) => {}
    }
}

async fn relay(mut client: TcpStream, server: u16, mode: watch::Receiver<Mode>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    let (mut asked, mut said) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            count = client.read(&mut asked) => match count {
                Ok(count) if count > 0 && server.write_all(&asked[..count]).await.is_ok() => {}
                _ => return,
            },
            count = server.read(&mut said) => match count {
                Ok(count) if count > 0 => {
                    let cut = *mode.borrow() == Mode::Cut;
                    let part = if cut { count / 2 } else { count };
                    if client.write_all(&said[..part]).await.is_err() || cut {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
