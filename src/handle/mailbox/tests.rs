//! A mailbox without a driver.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::Body;

use super::{Delivered, Mailbox};
use crate::{
    buffer::{BufferPool, Piece},
    config::Config,
    connection::Side,
    handle::{FlowControl, RecvStream, SendStream, Shared},
    memory::Account,
    stream_id::StreamId,
};

fn mailbox(config: Config) -> Arc<Mailbox> {
    let account = Account::new(&config);
    let shared = Shared::new(Arc::new(config), Side::Server, account);
    Arc::new(Mailbox::new(shared, StreamId::new(1), false))
}

/// §6.9: credit is given once, also for octets that were released before anybody took them.
#[test]
fn what_was_released_and_never_taken_does_not_come_back_twice() {
    let mailbox = mailbox(Config::default());
    let mut body = RecvStream::new(mailbox.clone());
    let delivered = mailbox.lock().deliver(Piece::copied(&[0; 1_000]), &BufferPool::global());
    assert!(matches!(delivered, Delivered::Queued));
    FlowControl::release_capacity(body.flow_control(), 600).unwrap();
    assert_eq!(mailbox.discard_unread(), 400);
    assert_eq!(body.flow_control().used_capacity(), 0);
}

/// §6.9: nor when it is taken afterwards as a frame, which releases by itself.
#[test]
fn what_was_released_by_hand_does_not_come_back_with_its_frame() {
    let mailbox = mailbox(Config::default());
    let mut body = RecvStream::new(mailbox.clone());
    mailbox.lock().deliver(Piece::copied(&[0; 1_000]), &BufferPool::global());
    FlowControl::release_capacity(body.flow_control(), 600).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let frame = Pin::new(&mut body).poll_frame(&mut cx);
    assert!(matches!(frame, Poll::Ready(Some(Ok(frame))) if frame.is_data()));
    assert_eq!(mailbox.shared.take_returned(), 600);
    drop(body);
    assert_eq!(mailbox.shared.take_returned(), 400);
}

#[test]
fn what_is_sent_counts_before_the_driver_sees_it() {
    let config = Config::builder().max_connection_memory(Some(1 << 20)).build().unwrap();
    let mailbox = mailbox(config);
    let account = mailbox.shared.account.clone().unwrap();
    let mut send = SendStream::new(mailbox.clone());
    let before = account.held();
    send.send_data(Bytes::from(vec![0; 100_000]), false).unwrap();
    send.send_data(Bytes::from(vec![0; 100_000]), true).unwrap();
    assert_eq!(account.held(), before + 200_000);
    let queue = std::mem::take(&mut mailbox.lock().outbox.queue);
    assert_eq!(account.held(), before + 200_000, "it goes along with what it is for");
    drop(queue);
    assert_eq!(account.held(), before);
    let _late = mailbox.shared.close(crate::error::Mistake::Inactive.into());
}
