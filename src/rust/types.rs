//! Types and paths as values.

use super::lower::Lower;
use crate::facts::{Sym, V, Value};
use syn::{GenericArgument, Path, PathArguments, QSelf, ReturnType, Type, TypeParamBound};

impl Lower {
    /// The segments of a path, generics and a leading `::` dropped. `<T as Trait>::item` is `T::item` where `T` is a path.
    pub fn segments(&mut self, qself: Option<&QSelf>, path: &Path) -> Vec<Sym> {
        let mut segments = Vec::new();
        let mut skip = 0;
        if let Some(qself) = qself
            && let Some((of, ty)) = path_of(&qself.ty)
        {
            segments = self.segments(of, ty);
            skip = qself.position;
        }
        for segment in path.segments.iter().skip(skip) {
            segments.push(self.ident(&segment.ident));
        }
        segments
    }

    /// A path as a value: a name, or a path of several segments.
    pub fn path(&mut self, qself: Option<&QSelf>, path: &Path) -> V {
        let segments = self.segments(qself, path);
        match segments.as_slice() {
            [] => self.unknown(),
            [one] => self.name(*one),
            _ => self.value(Value::Path(segments)),
        }
    }

    /// A type; see the notes on the room.
    pub fn ty(&mut self, ty: &Type) -> V {
        match ty {
            Type::Group(t) => self.ty(&t.elem),
            Type::Paren(t) => self.ty(&t.elem),
            Type::Ptr(t) => self.ty(&t.elem),
            Type::Reference(t) => self.ty(&t.elem),
            Type::Array(t) => {
                let elem = self.ty(&t.elem);
                self.value(Value::List(vec![elem]))
            }
            Type::Slice(t) => {
                let elem = self.ty(&t.elem);
                self.value(Value::List(vec![elem]))
            }
            Type::Tuple(t) if t.elems.is_empty() => self.value(Value::Nil),
            Type::Tuple(t) => {
                let elems = t.elems.iter().map(|elem| self.ty(elem)).collect();
                self.value(Value::Tuple(elems))
            }
            Type::ImplTrait(t) => self.first_bound(t.bounds.iter()),
            Type::TraitObject(t) => self.first_bound(t.bounds.iter()),
            Type::Path(t) => self.generic(t.qself.as_ref(), &t.path),
            _ => self.unknown(),
        }
    }

    pub fn returned(&mut self, output: &ReturnType) -> Option<V> {
        match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    /// The type that an `impl` is for, its arguments dropped.
    pub fn bare(&mut self, ty: &Type) -> V {
        match path_of(ty) {
            Some((qself, path)) => self.path(qself, path),
            None => self.ty(ty),
        }
    }

    /// The first trait among bounds.
    fn first_bound<'a>(&mut self, mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> V {
        let first = bounds.find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(&bound.path),
            _ => None,
        });
        match first {
            Some(path) => self.generic(None, path),
            None => self.unknown(),
        }
    }

    fn generic(&mut self, qself: Option<&QSelf>, path: &Path) -> V {
        let base = self.path(qself, path);
        let Some(last) = path.segments.last() else { return base };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return base };
        let args: Vec<V> = arguments
            .args
            .iter()
            .filter_map(|arg| match arg {
                GenericArgument::Type(ty) => Some(self.ty(ty)),
                _ => None,
            })
            .collect();
        match args.as_slice() {
            [] => base,
            [one] => self.value(Value::Item(base, *one)),
            _ => {
                let args = self.value(Value::Tuple(args));
                self.value(Value::Item(base, args))
            }
        }
    }
}

/// The path of a type behind its references, if it has one.
pub fn path_of(ty: &Type) -> Option<(Option<&QSelf>, &Path)> {
    match ty {
        Type::Path(t) => Some((t.qself.as_ref(), &t.path)),
        Type::Reference(t) => path_of(&t.elem),
        Type::Ptr(t) => path_of(&t.elem),
        Type::Paren(t) => path_of(&t.elem),
        Type::Group(t) => path_of(&t.elem),
        Type::TraitObject(t) => t.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some((None, &bound.path)),
            _ => None,
        }),
        _ => None,
    }
}
