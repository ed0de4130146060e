//! What is done to a connection as a whole while it runs: windows, and its end.

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Waker},
};

use millpond::handle::SendRequest;

use crate::{
    executor::{Kind, pause},
    script::What,
    script::When,
    world::World,
};

/// What a driver's owner is to do with its connection before it is polled.
#[derive(Default)]
pub struct Wishes {
    wishes: Vec<What>,
    waker: Option<Waker>,
    over: bool,
}

impl Wishes {
    pub fn take(&mut self, cx: &Context<'_>) -> Vec<What> {
        self.waker = Some(cx.waker().clone());
        std::mem::take(&mut self.wishes)
    }

    /// The connection is over.
    pub fn close(&mut self) {
        self.over = true;
        self.waker = None;
    }
}

/// Plays the controls of one side. `keep` lives as long.
pub fn begin(world: &World, side: usize, wishes: &Rc<RefCell<Wishes>>, keep: Option<SendRequest>) {
    let own = |control: &&crate::script::Control| usize::from(control.server) == side;
    let controls: Vec<_> = world.0.script.controls.iter().filter(own).cloned().collect();
    let (own, wishes) = (world.clone(), wishes.clone());
    world.0.handle.spawn(Kind::Application, format!("controls of {side}"), None, async move {
        for control in controls {
            match control.when {
                When::Pauses(pauses) => {
                    for _ in 0..pauses {
                        pause().await;
                    }
                }
                When::Sleep(milliseconds) => own.sleep(milliseconds).await,
                When::Still => own.0.handle.still().await,
            }
            let mut wishes = wishes.borrow_mut();
            if wishes.over {
                break;
            }
            own.expect(side, control.what);
            own.0.handle.gain();
            wishes.wishes.push(control.what);
            if let Some(waker) = wishes.waker.take() {
                waker.wake();
            }
        }
        drop(keep);
    });
}
