//! The greeter everyone knows: generated client and server of `helloworld.Greeter`, and an implementation.

use tonic::{Request, Response, Status};

pub use generated::greeter_client::GreeterClient;
pub use generated::greeter_server::{Greeter, GreeterServer};
pub use generated::{HelloReply, HelloRequest};

#[expect(missing_docs, unreachable_pub, reason = "generated; proto/greeter.proto says what there is")]
mod generated {
    tonic::include_proto!("helloworld");
}

/// Greets by name.
#[derive(Clone, Copy, Debug, Default)]
pub struct GreeterService;

#[tonic::async_trait]
impl Greeter for GreeterService {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let name = request.into_inner().name;
        Ok(Response::new(HelloReply { message: format!("Hello {name}!") }))
    }
}
