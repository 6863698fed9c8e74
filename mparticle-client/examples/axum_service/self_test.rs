//! A client of the service, for `--self-test`.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Lets three customers sign up.
pub(crate) async fn make_three_requests(address: SocketAddr) -> io::Result<()> {
    for customer_id in ["42", "43", "44"] {
        let mut connection = TcpStream::connect(address).await?;
        let request = format!(
            "POST /customers/{customer_id}/signup HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        println!("POST {customer_id}: {}", answer.lines().next().unwrap_or("no answer"));
    }
    Ok(())
}
