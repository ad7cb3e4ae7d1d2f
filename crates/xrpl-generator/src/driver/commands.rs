//! What the handle asks of the driver.

use tracing::info;

use super::{Driver, requests::What};
use crate::{command::Command, error::GeneratorError, lanes};

impl Driver {
    pub(super) fn obey(&mut self, command: Command) {
        // Who asked may have gone; then nobody reads the reply.
        match command {
            Command::Start(reply) => {
                let already = self.running;
                if !already {
                    self.schedule.resume(self.now());
                    self.start();
                }
                let error = GeneratorError::AlreadySo("running");
                drop(reply.send(if already { Err(error) } else { Ok(()) }));
            }
            Command::Stop(reply) => {
                let was = std::mem::replace(&mut self.running, false);
                let error = GeneratorError::AlreadySo("stopped");
                drop(reply.send(if was { Ok(()) } else { Err(error) }));
            }
            Command::SetPace(pace, reply) => {
                let now = self.now();
                let old = self.schedule.tps(now);
                info!(from = %self.schedule.pace(), to = %pace, "pace");
                self.schedule.set_pace(pace, now);
                drop(reply.send(Ok(old)));
            }
            Command::SetMaxPending(max_pending, reply) => {
                let old = self.engine.max_pending();
                self.engine.set_max_pending(max_pending);
                drop(reply.send(Ok(old)));
            }
            Command::SetIntent(percent, reply) => {
                let old = self.engine.intent_invalid();
                self.engine.set_intent_invalid(percent);
                drop(reply.send(Ok(old)));
            }
            Command::SetFuzz(percent, reply) => drop(reply.send(self.set_fuzz(percent))),
            Command::Toggle(name, enabled, reply) => {
                let toggled = self
                    .engine
                    .catalogue
                    .find(&name)
                    .map(|id| self.engine.catalogue.set_enabled(id, enabled));
                self.engine.list_all();
                drop(reply.send(toggled));
            }
            Command::SetWeight(name, weight, reply) => {
                let catalogue = &mut self.engine.catalogue;
                let old = catalogue.find(&name).map(|id| catalogue.set_weight(id, weight));
                self.engine.list_all();
                drop(reply.send(old));
            }
            Command::NewAccount(wanted, key, reply) => self.create_account(wanted, key, reply),
            Command::Lanes(limit, reply) => {
                drop(reply.send(Ok(lanes::list(&self.engine.world.accounts, limit))));
            }
            Command::DeletedIn(id, reply) => {
                drop(reply.send(Ok(self.engine.world.objects.deleted_in(id))));
            }
            Command::Diagnose(reply) => drop(reply.send(Ok(self.engine.diagnoses()))),
            Command::Coverage(reply) => drop(reply.send(Ok(self.engine.coverage()))),
            Command::SkipStage(reply) => drop(reply.send(self.skip_stage())),
            Command::EnterStage(stage, reply) => drop(reply.send(self.enter_stage(*stage))),
            Command::Finish(reply) => drop(reply.send(self.finish())),
            Command::StartJourney(name, key, reply) => {
                drop(reply.send(self.start_journey(&name, key)));
            }
            Command::Measures(reply) => drop(reply.send(Ok(self.measures()))),
            Command::Create(name, key, reply) => self.request(What::Create(name), key, reply),
            Command::Pay { from, to, amount, key, reply } => {
                self.request(What::Pay { from, to, amount }, key, reply);
            }
            Command::Send { from, body, key, reply } => {
                self.request(What::Send { from, body }, key, reply);
            }
            Command::Status(reply) => {
                self.publish();
                drop(reply.send(Ok((*self.status()).clone())));
            }
        }
    }
}
