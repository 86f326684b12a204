//! One request, answered, with the fault that the script has for it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, RANGE, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use s3s::service::S3Service;

use super::Shared;
use crate::faults::{Fault, Operation, Seen, mutate};

/// The body of an answer; it breaks off with an error where a fault wants it.
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Longer than any client waits.
const FOREVER: Duration = Duration::from_secs(3600);

pub(super) async fn answer(service: &S3Service, shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let seen = seen(&request);
    let fault = shared.script.lock().unwrap_or_else(PoisonError::into_inner).next(&seen);
    shared.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    match &fault {
        Some(Fault::Status { status, code, retry_after }) => return refusal(*status, code, *retry_after),
        Some(Fault::ErrorPage) => return refusal(200, "InternalError", None),
        Some(Fault::Silence) => tokio::time::sleep(FOREVER).await,
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::Before(action)) => action(),
        _ => {}
    }
    let answered = service.call(request.map(s3s::Body::from)).await;
    let Ok(answered) = answered else { return refusal(500, "InternalError", None) };
    let (parts, body) = answered.into_parts();
    let Ok(collected) = body.collect().await else { return refusal(500, "InternalError", None) };
    let bytes = collected.to_bytes();
    let body = match fault {
        Some(Fault::Garble { seed }) => whole(mutate::flip(&bytes, seed).into()),
        Some(Fault::CutAfter(kept)) => broken(&bytes, kept, End::Closed),
        Some(Fault::ShortBy(missing)) => broken(&bytes, bytes.len().saturating_sub(missing), End::Closed),
        Some(Fault::StallAfter(kept)) => broken(&bytes, kept, End::Silent),
        _ => whole(bytes.clone()),
    };
    let mut answer = Response::from_parts(parts, body);
    // The length that is told is that of the whole body, wherever it breaks off.
    answer.headers_mut().insert(CONTENT_LENGTH, bytes.len().into());
    answer
}

fn seen(request: &Request<Incoming>) -> Seen {
    let uri = request.uri();
    let operation = if uri.query().is_some_and(|query| query.contains("list-type")) {
        Operation::List
    } else if request.method() == http::Method::GET {
        Operation::Get
    } else {
        Operation::Other
    };
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned);
    Seen { operation, target: uri.to_string(), range }
}

fn refusal(status: u16, code: &str, retry_after: Option<u32>) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>on purpose</Message></Error>");
    let mut answer = Response::new(whole(text.into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Closed,
    Silent,
}

/// The first `kept` bytes, and then the end of the connection or of all news.
fn broken(bytes: &Bytes, kept: usize, end: End) -> Body {
    let first = bytes.slice(..kept.min(bytes.len()));
    let rest = async move {
        if end == End::Silent {
            tokio::time::sleep(FOREVER).await;
        }
        // Let what was sent leave before the connection does.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::other("cut on purpose"))
    };
    let rest: Pin<Box<dyn Future<Output = io::Result<Frame<Bytes>>> + Send>> = Box::pin(rest);
    let first = futures::stream::iter([Ok(Frame::data(first))]);
    BodyExt::boxed_unsync(StreamBody::new(futures::StreamExt::chain(first, futures::stream::once(rest))))
}
