//! Work that runs a method of an object, and is ended through that object: `Thread(target=server.serve_forever)` has ended when
//! `server.shutdown()` comes back.

use super::life::{Life, TELLS};
use super::spots::{Look, Mention, Spot, each_value, mentions};
use crate::facts::{FileFacts, OpId, Shape, UnitId, V, Value, What};

/// The object whose method is run, and the methods of it that wait for the end of that one.
#[derive(Clone, Copy)]
pub(super) struct Service<'a> {
    object: V,
    ends: &'a [String],
}

impl<'a> Life<'a> {
    /// The object whose method a thread or process is told to run.
    pub(super) fn service(&self, made: OpId) -> Option<Service<'a>> {
        let What::Call { args, .. } = &self.facts.op(made).what else { return None };
        let Value::Attr(object, name) = self.facts.value(self.target(args)?) else { return None };
        let ends = self.index.calls(self.facts.language).ends_of(self.facts.name(*name));
        Some(Service { object: *object, ends: ends.unwrap_or_default() })
    }

    /// Whether a place waits for the end of the service.
    pub(super) fn is_end_of(&self, service: Service, spot: &Spot) -> bool {
        let Some(What::Call { callee, .. }) = spot.op().map(|op| &self.facts.op(op).what) else { return false };
        let Value::Attr(base, name) = self.facts.value(*callee) else { return false };
        let object = self.facts.dotted(service.object);
        service.ends.iter().any(|end| end == self.facts.name(*name)) && object.is_some() && self.facts.dotted(*base) == object
    }

    /// Whether somebody else is to end the service: who handed the object in or gets it, another method of its class, or, where it is a
    /// variable of the module, another function.
    pub(super) fn is_ended_elsewhere(&self, service: Service) -> bool {
        let Some(object) = self.facts.dotted(service.object).filter(|_| !service.ends.is_empty()) else { return false };
        let ends = |facts: &FileFacts, callee: V| {
            facts.dotted(callee).is_some_and(|text| {
                text.rsplit_once('.').is_some_and(|(base, name)| base == object && service.ends.iter().any(|end| end == name))
            })
        };
        let calls = |facts: &FileFacts, unit: UnitId| {
            super::spots::spots(&facts.unit(unit).body).iter().filter_map(Spot::op).any(|op| match &facts.op(op).what {
                What::Call { callee, args } => ends(facts, *callee) || args.iter().any(|arg| ends(facts, arg.value)),
                _ => false,
            })
        };
        let data = self.facts.unit(self.unit.1);
        if object == "self" || object.starts_with("self.") {
            let class = data.class.map(|class| self.index.class_of_impl((self.unit.0, class)));
            let methods = class.map(|class| self.index.methods(class)).unwrap_or_default();
            return methods.values().any(|unit| *unit != self.unit && calls(self.index.file(unit.0), unit.1));
        }
        let Value::Name(name) = self.facts.value(service.object) else { return false };
        if data.params.iter().any(|param| param.name == *name) {
            return true;
        }
        let is = |v: V| *self.facts.value(v) == Value::Name(*name);
        let stored = |spot: &Spot| match spot.op().map(|op| &self.facts.op(op).what) {
            Some(What::Store { to, .. }) => is(*to),
            _ => false,
        };
        if !self.row.iter().any(stored) || data.globals.contains(name) {
            let units = (0..self.facts.units.len()).map(|unit| UnitId(unit as u32));
            return units.filter(|unit| *unit != self.unit.1).any(|unit| calls(self.facts, unit));
        }
        let whole = |v: V| {
            let mut whole = false;
            mentions(self.facts, v, &is, &mut |one| whole |= one == Mention::Whole);
            whole
        };
        // Its end is handed on, or the object itself is.
        self.row.iter().filter_map(Spot::op).any(|op| match &self.facts.op(op).what {
            What::Return(Some(v)) => whole(*v),
            What::Store { to, value, .. } => !matches!(self.facts.value(*to), Value::Name(_)) && whole(*value),
            What::Call { args, .. } => args.iter().any(|arg| ends(self.facts, arg.value)),
            _ => false,
        })
    }

    /// Whether the unit tells the object to end, by a method that may not wait for it: `loop.call_soon_threadsafe(loop.stop)`.
    pub(super) fn is_told(&self, service: Service, started: usize) -> bool {
        let Some(object) = self.facts.dotted(service.object) else { return false };
        let is = |v: V| self.facts.dotted(v).is_some_and(|text| text == object);
        self.row[started..].iter().any(|spot| {
            let Look::Op(op) = spot.look else { return false };
            let mut told = false;
            each_value(&self.facts.op(op).what, &mut |v| {
                mentions(self.facts, v, &is, &mut |one| {
                    told |= matches!(one, Mention::Part(name) if TELLS.contains(&self.facts.name(name)));
                });
            });
            told
        })
    }

    /// Whether the unit is a nested function that is handed to a method of something that nobody knows: it may run in another process,
    /// and its work ends there.
    pub(super) fn is_handed_away(&self) -> bool {
        let data = self.facts.unit(self.unit.1);
        let Some(parent) = data.parent.filter(|parent| data.shape == Shape::Function && *parent != UnitId(0)) else {
            return false;
        };
        let calls = self.index.calls(self.facts.language);
        let is = |v: V| *self.facts.value(v) == Value::Name(data.name);
        let (mut away, mut here) = (false, false);
        for op in super::spots::spots(&self.facts.unit(parent).body).iter().filter_map(Spot::op) {
            let What::Call { callee, args } = &self.facts.op(op).what else { continue };
            here |= is(*callee);
            if !args.iter().any(|arg| is(arg.value)) {
                continue;
            }
            match self.facts.value(*callee) {
                Value::Attr(base, name)
                    if !self.facts.is_self(*base)
                        && !calls.is_of_thing(self.facts.name(*name))
                        && self.index.resolve_value(self.unit.0, parent, *callee).is_none() =>
                {
                    away = true;
                }
                _ => here = true,
            }
        }
        away && !here
    }
}
