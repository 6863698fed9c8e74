//! The HTTP client for `--self-test`.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends the sign-up requests of three customers and prints the status lines of the responses.
pub(crate) async fn make_three_requests(address: SocketAddr) -> io::Result<()> {
    for customer_id in ["42", "43", "44"] {
        let mut connection = TcpStream::connect(address).await?;
        let request = format!(
            "POST /customers/{customer_id}/signup HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        connection.read_to_string(&mut response).await?;
        println!("POST {customer_id}: {}", response.lines().next().unwrap_or("no response"));
    }
    Ok(())
}
