//! What a field section does: it opens a stream, answers a request or ends a message (RFC 9113 §8.1, §8.3).
//!
//! Always true here: field blocks are decoded whoever they are for, since the table is shared (§4.3); the
//! application sees only messages that are well-formed.

use http::{Method, Response, StatusCode};

use crate::{
    error::{Fault, Misdeed},
    hpack::{Decoded, FieldLimits},
    stream::{Content, Head, Input, Protocol, Refusal, Section, of_head, of_request},
    stream_id::StreamId,
};

use super::{Event, Side, StreamKey, core::Core, inbound::Outcome, limits::Cheap, prioritized, spares};

impl Core {
    pub(super) fn handle_headers(
        &mut self,
        id: StreamId,
        end_stream: bool,
        depends_on: Option<StreamId>,
        block: &[u8],
    ) -> Outcome {
        self.ends_stream = end_stream;
        let mut section = Section::new(self.config.manners.joins_cookies(), spares::take());
        let limits = FieldLimits {
            max_octets: self.config.manners.largest_section(self.config.max_header_list_size as usize),
            max_fields: self.config.max_header_fields,
        };
        let mut decoded =
            self.decoder.decode(block, limits, &mut |field| section.add(field)).map_err(Fault::connection)?;
        if self.config.manners.ends_for_huge_section(decoded.octets, limits.max_octets) {
            return Err(Fault::connection(Misdeed::FieldSectionFarTooLarge));
        }
        if depends_on == Some(id) && !self.disregards_dependencies() {
            decoded.malformed.get_or_insert(Misdeed::SelfDependency);
        }
        if let Some(key) = self.streams.find(id) {
            self.note_movement(key);
            let Some(stream) = self.streams.get(key) else { return Ok(None) };
            return match (self.side, stream.got_head) {
                (Side::Client, false) => self.handle_response(key, id, end_stream, &mut section, decoded),
                _ => self.handle_trailers(key, id, end_stream, &mut section, decoded),
            };
        }
        if self.side == Side::Server
            && id.is_client_initiated()
            && id > self.highest_remote
            && !self.is_turned_away(id)
        {
            return self.handle_request(id, end_stream, &mut section, decoded);
        }
        // A server's even stream was never announced, since push is off (§8.4).
        self.frame_on_missing_stream(id, Misdeed::HeadersAfterEnd)
    }

    fn handle_request(
        &mut self,
        id: StreamId,
        end_stream: bool,
        section: &mut Section,
        decoded: Decoded,
    ) -> Outcome {
        let expected = self.highest_remote.next().filter(|_| !self.highest_remote.is_connection());
        self.closed.skip(expected.unwrap_or(StreamId::new(1)), id);
        self.highest_remote = id;
        let prioritized = self.prioritized.open(id);
        if self.config.max_concurrent_streams.is_some_and(|max| self.remote_streams >= max) {
            return Err(Fault::stream(id, Misdeed::StreamLimitExceeded));
        }
        if decoded.too_large {
            self.last_processed = id;
            self.refuse_large_request(id, end_stream);
            return Ok(None);
        }
        check_decoded(id, &decoded)?;
        if section.has_sound_fields() {
            self.last_processed = id;
        }
        let head = section.take_request().map_err(|misdeed| Fault::stream(id, misdeed))?;
        // RFC 8441 §4: only where we offered it.
        if head.extensions().get::<Protocol>().is_some() && !self.local.enable_connect_protocol {
            return Err(Fault::stream(id, Misdeed::BadPseudoField));
        }
        let content = Content::of_request(head.method(), head.headers())
            .map_err(|misdeed| Fault::stream(id, misdeed))?;
        if end_stream {
            content.end().map_err(|misdeed| Fault::stream(id, misdeed))?;
        }
        let mut stream = self.new_stream(id);
        if !self.charge_stream(&mut stream, || of_request(&head)) {
            self.refuse_stream(id);
            return Ok(None);
        }
        if let Ok(next) = stream.state.after(Input::RecvHeaders { end: end_stream }) {
            stream.state = next;
        }
        stream.got_head = true;
        stream.counted = true;
        stream.connect_request = head.method() == Method::CONNECT;
        stream.content = content;
        // RFC 9218 §7: an update overrides what the request says.
        if let Some(priority) = prioritized.or_else(|| prioritized::of_request(head.headers())) {
            stream.priority = priority;
        }
        tracing::trace!(stream = id.value(), method = %head.method(), uri = %head.uri(), "request received");
        self.remote_streams += 1;
        let key = self.admit(stream);
        Ok(Some(Event::Request { key, stream: id, head: Box::new(head), end_stream }))
    }

    /// RFC 6585 §5: the answer to a request whose fields are too large. The application does not hear of it.
    fn refuse_large_request(&mut self, id: StreamId, end_stream: bool) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        let head = Head::Response(response);
        let mut stream = self.new_stream(id);
        if !self.charge_stream(&mut stream, || of_head(&head)) {
            return self.refuse_stream(id);
        }
        if let Ok(next) = stream.state.after(Input::RecvHeaders { end: end_stream }) {
            stream.state = next;
        }
        stream.got_head = true;
        stream.counted = true;
        stream.abandoned = true;
        stream.unannounced = true;
        stream.reset_code = self.config.manners.code_after_431();
        stream.queue.push_head(head);
        stream.queue.push_end();
        self.remote_streams += 1;
        let key = self.admit(stream);
        self.schedule(key);
    }

    fn handle_response(
        &mut self,
        key: StreamKey,
        id: StreamId,
        end_stream: bool,
        section: &mut Section,
        decoded: Decoded,
    ) -> Outcome {
        // §5.1: what we have not asked yet cannot be answered.
        if self.is_idle(id) {
            return Err(Fault::connection(Misdeed::FrameOnIdleStream));
        }
        check_decoded(id, &decoded)?;
        let fault = |misdeed| Fault::stream(id, misdeed);
        let head = section.take_response().map_err(fault)?;
        if head.status().is_informational() {
            self.charge(Cheap::Informational)?;
        }
        let Some(stream) = self.streams.get_mut(key) else { return Ok(None) };
        let abandoned = stream.abandoned;
        if head.status().is_informational() {
            if end_stream {
                return Err(fault(Misdeed::InformationalEndsStream));
            }
            return Ok((!abandoned).then(|| Event::Informational { key, head: Box::new(head) }));
        }
        stream.got_head = true;
        stream.connect_request &= head.status().is_success();
        stream.content =
            Content::of_response(stream.head_request, stream.connect_request, head.status(), head.headers())
                .map_err(fault)?;
        if end_stream {
            stream.content.end().map_err(fault)?;
            self.end_received(key)?;
        }
        Ok((!abandoned).then_some(Event::Response { key, head, end_stream }))
    }

    fn handle_trailers(
        &mut self,
        key: StreamKey,
        id: StreamId,
        end_stream: bool,
        section: &mut Section,
        decoded: Decoded,
    ) -> Outcome {
        let fault = |misdeed| Fault::stream(id, misdeed);
        let Some(stream) = self.streams.get_mut(key) else { return Ok(None) };
        if let Err(Refusal::Peer(misdeed)) = stream.state.after(Input::RecvHeaders { end: end_stream }) {
            return Err(fault(misdeed));
        }
        // §8.5: a tunnel has nothing but DATA.
        if stream.connect_request && !self.config.manners.has_trailers_in_tunnels() {
            return Err(fault(Misdeed::HeadersInTunnel));
        }
        if !end_stream {
            return Err(fault(Misdeed::TrailersWithoutEnd));
        }
        check_decoded(id, &decoded)?;
        let trailers = section.take_trailers().map_err(fault)?;
        stream.content.end().map_err(fault)?;
        let abandoned = stream.abandoned;
        self.end_received(key)?;
        Ok((!abandoned).then_some(Event::Trailers { key, trailers }))
    }
}

/// What HPACK found wrong with the fields: the stream's fault, since the table is sound (§8.1.1).
fn check_decoded(id: StreamId, decoded: &Decoded) -> Result<(), Fault> {
    if decoded.too_large {
        return Err(Fault::stream(id, Misdeed::FieldSectionTooLarge));
    }
    decoded.malformed.map_or(Ok(()), |misdeed| Err(Fault::stream(id, misdeed)))
}
