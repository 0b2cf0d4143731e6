//! Items: functions, types, modules, imports and the stores of constants.

use super::edges;
use super::lower::{Dest, Lower, NewUnit};
use super::{grammar, types};
use crate::facts::{Child, Class, ClassId, Import, Mark, Param, ParamKind, Shape, Sym, UnitId, V, What, Why};
use crate::text::Span;
use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Fields, FnArg, Ident, ImplItem, Item, ReturnType, Signature, TraitItem, Type, UseTree, Visibility};

/// A function before its body.
pub struct Function<'a> {
    pub ident: &'a Ident,
    pub marks: Vec<Mark>,
    pub class: Option<ClassId>,
    pub receiver: Option<Param>,
    pub is_async: bool,
    pub output: &'a ReturnType,
    pub block: &'a syn::Block,
    pub span: Span,
    /// The parameters with their parentheses.
    pub signature: Span,
}

/// A `struct`, `enum`, `union`, `trait` or `impl` before its body.
struct Outline<'a> {
    name: Sym,
    bases: Vec<V>,
    extends: Option<V>,
    attrs: &'a [Attribute],
    fields: Vec<(Sym, Option<V>)>,
    span: Span,
    head: Span,
}

impl Lower {
    pub fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(i) => {
                let start = edges::item_start(&i.attrs, Some(&i.vis), signature_start(&i.sig));
                self.signature(&i.attrs, &i.sig, &i.block, start, None);
            }
            Item::Mod(i) => self.module(i),
            Item::Use(i) => {
                let span = self.item_span(&i.attrs, &i.vis, i.use_token.span, i.semi_token.span);
                self.imports(&i.tree, Vec::new(), is_public(&i.vis), span);
            }
            Item::ExternCrate(i) => self.extern_crate(i),
            Item::Const(i) => {
                let span = self.item_span(&i.attrs, &i.vis, i.const_token.span, i.semi_token.span);
                self.constant(&i.ident, &i.ty, &i.expr, span);
            }
            Item::Static(i) => {
                let span = self.item_span(&i.attrs, &i.vis, i.static_token.span, i.semi_token.span);
                self.constant(&i.ident, &i.ty, &i.expr, span);
            }
            Item::Type(i) => {
                let span = self.item_span(&i.attrs, &i.vis, i.type_token.span, i.semi_token.span);
                self.alias(&i.ident, &i.ty, span);
            }
            Item::Struct(i) => {
                let end = i.semi_token.as_ref().map_or_else(|| i.fields.span(), |semi| semi.span);
                let span = self.item_span(&i.attrs, &i.vis, i.struct_token.span, end);
                let fields = self.fields(&i.fields);
                self.declare(&i.ident, &i.attrs, fields, span);
            }
            Item::Union(i) => {
                let span = self.item_span(&i.attrs, &i.vis, i.union_token.span, i.fields.brace_token.span.close());
                let fields = i.fields.named.iter().enumerate().map(|(n, field)| self.field(n, field)).collect();
                self.declare(&i.ident, &i.attrs, fields, span);
            }
            Item::Enum(i) => {
                let span = self.item_span(&i.attrs, &i.vis, i.enum_token.span, i.brace_token.span.close());
                let mut variants = Vec::new();
                for variant in &i.variants {
                    let name = self.ident(&variant.ident);
                    let ty = match &variant.fields {
                        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                            fields.unnamed.first().map(|field| self.ty(&field.ty))
                        }
                        _ => None,
                    };
                    variants.push((name, ty));
                }
                self.declare(&i.ident, &i.attrs, variants, span);
            }
            Item::Trait(i) => self.trait_item(i),
            Item::Impl(i) => self.impl_item(i),
            // A definition of a macro says nothing until it is called.
            Item::Macro(i) if i.ident.is_some() => {}
            Item::Macro(i) => self.macro_effect(&i.mac),
            Item::ForeignMod(_) | Item::TraitAlias(_) => {}
            Item::Verbatim(tokens) => self.unread(tokens),
            other => self.builder.gap(edges::bytes(other.span()), Why::Syntax),
        }
    }

    /// Syntax that syn hands on as tokens. A declaration without a body (`fn f();` for a macro to fill) says nothing.
    fn unread(&mut self, tokens: &TokenStream) {
        let span = edges::bytes(tokens.span());
        let declares =
            tokens.clone().into_iter().last().is_some_and(|last| matches!(last, TokenTree::Punct(end) if end.as_char() == ';'));
        if !declares {
            self.builder.gap(span, Why::Syntax);
        }
    }

    fn item_span(&self, attrs: &[Attribute], vis: &Visibility, keyword: proc_macro2::Span, end: proc_macro2::Span) -> Span {
        Span { start: edges::item_start(attrs, Some(vis), keyword), end: edges::bytes(end).end }
    }

    fn signature(&mut self, attrs: &[Attribute], sig: &Signature, block: &syn::Block, start: u32, class: Option<ClassId>) {
        let mut marks = self.marks(attrs);
        let mut receiver = None;
        let mut of_params: Vec<Vec<Mark>> = Vec::new();
        for input in &sig.inputs {
            let (FnArg::Receiver(syn::Receiver { attrs, .. }) | FnArg::Typed(syn::PatType { attrs, .. })) = input;
            let attrs = attrs.iter().filter(|attr| !attr.path().is_ident("doc"));
            let own: Vec<Mark> = attrs.map(|attr| self.mark(attr)).collect();
            marks.extend(own.iter().cloned());
            of_params.push(own);
            if let FnArg::Receiver(own) = input {
                let ty = match &own.kind {
                    syn::ReceiverKind::Typed(_, ty) => Some(self.ty(ty)),
                    _ => None,
                };
                let name = self.sym("self");
                let span = edges::bytes(own.span());
                receiver = Some(Param { name, ty, default: None, kind: ParamKind::Plain, marks: Vec::new(), span });
            }
        }
        let span = Span { start, end: edges::bytes(block.brace_token.span.close()).end };
        let is_async = sig.asyncness.is_some();
        let signature = edges::across(sig.paren_token.span.open(), sig.paren_token.span.close());
        let function =
            Function { ident: &sig.ident, marks, class, receiver, is_async, output: &sig.output, block, span, signature };
        self.function(function, |lower| {
            lower.params(sig.inputs.iter().filter_map(|input| match input {
                FnArg::Typed(typed) => Some((&*typed.pat, Some(&*typed.ty), edges::bytes(typed.span()))),
                FnArg::Receiver(_) => None,
            }));
            lower.change(lower.unit, |unit| {
                unit.params.iter_mut().zip(of_params).for_each(|(param, marks)| param.marks = marks);
            });
        });
    }

    /// A function as a unit that is defined here.
    pub fn function(&mut self, f: Function, params: impl FnOnce(&mut Self)) -> UnitId {
        let name = self.ident(f.ident);
        let head = edges::bytes(f.ident.span());
        let returns = self.returned(f.output);
        let inner = edges::across(f.block.brace_token.span.open(), f.block.brace_token.span.close());
        let shape = match (f.class, &f.receiver) {
            (None, _) => Shape::Function,
            (Some(_), Some(_)) => Shape::Method,
            (Some(_), None) => Shape::StaticMethod,
        };
        let new = NewUnit { name, shape, class: f.class, marks: f.marks, is_async: f.is_async, span: f.span, head };
        let unit = self.enter(new, |lower| {
            let id = lower.unit;
            lower.change(id, |unit| {
                unit.params.extend(f.receiver);
                unit.returns = returns;
                unit.signature = f.signature;
                unit.inner = inner;
            });
            params(lower);
            lower.block(f.block, Dest::Return);
        });
        self.push(What::Define(unit), head);
        unit
    }

    fn module(&mut self, i: &syn::ItemMod) {
        let name = self.ident(&i.ident);
        let head = edges::bytes(i.ident.span());
        let start = edges::item_start(&i.attrs, Some(&i.vis), i.mod_token.span);
        if let Some((brace, items)) = &i.content {
            let span = Span { start, end: edges::bytes(brace.span.close()).end };
            let marks = self.marks(&i.attrs);
            let new = NewUnit { name, shape: Shape::Module, class: None, marks, is_async: false, span, head };
            self.enter(new, |lower| {
                for item in items {
                    lower.item(item);
                }
            });
            return;
        }
        let path = i.attrs.iter().filter(|attr| attr.path().is_ident("path")).find_map(|attr| match &attr.meta {
            syn::Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
        let path = path.map(|path| self.sym(&path));
        let span = Span { start, end: i.semi.as_ref().map_or(head.end, |semi| edges::bytes(semi.span).end) };
        self.import(
            Import {
                module: vec![name],
                up: 0,
                name: None,
                bound: Some(name),
                star: false,
                child: Some(Child { path }),
                public: is_public(&i.vis),
                span,
            },
            span,
        );
    }

    fn extern_crate(&mut self, i: &syn::ItemExternCrate) {
        let span = self.item_span(&i.attrs, &i.vis, i.extern_token.span, i.semi_token.span);
        let name = self.ident(&i.ident);
        let bound = match &i.rename {
            Some((_, rename)) => self.bound(rename),
            None => Some(name),
        };
        // `extern crate self as name` is this crate.
        let module = if i.ident == "self" { self.sym("crate") } else { name };
        let public = is_public(&i.vis);
        self.import(Import { module: vec![module], up: 0, name: None, bound, star: false, child: None, public, span }, span);
    }

    /// One import for each name that a `use` binds. `module` is the path so far.
    fn imports(&mut self, tree: &UseTree, mut module: Vec<Sym>, public: bool, whole: Span) {
        let mut tree = tree;
        while let UseTree::Path(path) = tree {
            module.push(self.ident(&path.ident));
            tree = &path.tree;
        }
        let span = edges::bytes(tree.span());
        let mut import = Import { module, up: 0, name: None, bound: None, star: false, child: None, public, span };
        match tree {
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.imports(tree, import.module.clone(), public, whole);
                }
                return;
            }
            UseTree::Glob(_) => import.star = true,
            UseTree::Name(leaf) => {
                let name = self.ident(&leaf.ident);
                if leaf.ident == "self" {
                    import.bound = import.module.last().copied();
                } else {
                    import.bound = Some(name);
                    self.take(&mut import, name);
                }
            }
            UseTree::Rename(leaf) => {
                import.bound = self.bound(&leaf.rename);
                if leaf.ident != "self" {
                    let name = self.ident(&leaf.ident);
                    self.take(&mut import, name);
                }
            }
            UseTree::Path(_) => return,
        }
        self.import(import, whole);
    }

    /// `use name` binds a crate or module itself; with a path before it, a name out of a module.
    fn take(&mut self, import: &mut Import, name: Sym) {
        if import.module.is_empty() {
            import.module.push(name);
        } else {
            import.name = Some(name);
        }
    }

    /// `as _` binds no name.
    fn bound(&mut self, rename: &Ident) -> Option<Sym> {
        (rename != "_").then(|| self.ident(rename))
    }

    fn import(&mut self, import: Import, span: Span) {
        let import = self.builder.import(import);
        self.push(What::Import(import), span);
    }

    fn constant(&mut self, ident: &Ident, ty: &Type, value: &Expr, span: Span) {
        let ty = self.ty(ty);
        let value = self.expr(value);
        let name = self.ident(ident);
        let to = self.name(name);
        self.push(What::Store { to, value, ty: Some(ty) }, span);
    }

    fn alias(&mut self, ident: &Ident, ty: &Type, span: Span) {
        let value = self.ty(ty);
        let name = self.ident(ident);
        self.store(name, value, span);
    }

    fn field(&mut self, n: usize, field: &syn::Field) -> (Sym, Option<V>) {
        let name = match &field.ident {
            Some(name) => self.ident(name),
            None => self.sym(&n.to_string()),
        };
        (name, Some(self.ty(&field.ty)))
    }

    fn fields(&mut self, fields: &Fields) -> Vec<(Sym, Option<V>)> {
        fields.iter().enumerate().map(|(n, field)| self.field(n, field)).collect()
    }

    fn declare(&mut self, ident: &Ident, attrs: &[Attribute], fields: Vec<(Sym, Option<V>)>, span: Span) {
        let name = self.ident(ident);
        let head = edges::bytes(ident.span());
        let class = self.class(Outline { name, bases: Vec::new(), extends: None, attrs, fields, span, head });
        self.push(What::DefineClass(class), head);
    }

    fn class(&mut self, outline: Outline) -> ClassId {
        let marks = self.marks(outline.attrs);
        self.builder.class(Class {
            name: outline.name,
            bases: outline.bases,
            metaclass: None,
            extends: outline.extends,
            marks,
            fields: outline.fields,
            parent: self.unit,
            body: None,
            span: outline.span,
            head: outline.head,
        })
    }

    /// A class with a body of its own.
    fn class_body(&mut self, outline: Outline, fill: impl FnOnce(&mut Self, ClassId)) -> ClassId {
        let (name, span, head) = (outline.name, outline.span, outline.head);
        let class = self.class(outline);
        let new = NewUnit { name, shape: Shape::ClassBody, class: Some(class), marks: Vec::new(), is_async: false, span, head };
        let body = self.enter(new, |lower| fill(lower, class));
        if let Some(class) = self.builder.facts_mut().classes.get_mut(class.0 as usize) {
            class.body = Some(body);
        }
        class
    }

    fn trait_item(&mut self, i: &syn::ItemTrait) {
        let keyword = i.unsafety.as_ref().map_or(i.trait_token.span, |token| token.span);
        let span = self.item_span(&i.attrs, &i.vis, keyword, i.brace_token.span.close());
        let name = self.ident(&i.ident);
        let head = edges::bytes(i.ident.span());
        let mut bases = Vec::new();
        for bound in &i.supertraits {
            if let syn::TypeParamBound::Trait(bound) = bound {
                bases.push(self.path(None, &bound.path));
            }
        }
        let outline = Outline { name, bases, extends: None, attrs: &i.attrs, fields: Vec::new(), span, head };
        let class = self.class_body(outline, |lower, class| {
            for item in &i.items {
                lower.trait_member(item, class);
            }
        });
        self.push(What::DefineClass(class), head);
    }

    fn trait_member(&mut self, item: &TraitItem, class: ClassId) {
        match item {
            TraitItem::Fn(f) => {
                if let Some(block) = &f.default {
                    let start = edges::item_start(&f.attrs, None, signature_start(&f.sig));
                    self.signature(&f.attrs, &f.sig, block, start, Some(class));
                }
            }
            TraitItem::Const(c) => {
                if let Some((_, value)) = &c.default {
                    let span = edges::across(c.const_token.span, c.semi_token.span);
                    self.constant(&c.ident, &c.ty, value, span);
                }
            }
            TraitItem::Type(t) => {
                if let Some((_, ty)) = &t.default {
                    let span = edges::across(t.type_token.span, t.semi_token.span);
                    self.alias(&t.ident, ty, span);
                }
            }
            TraitItem::Macro(m) => self.member_macro(&m.mac, class),
            TraitItem::Verbatim(tokens) => self.unread(tokens),
            other => self.builder.gap(edges::bytes(other.span()), Why::Syntax),
        }
    }

    fn impl_item(&mut self, i: &syn::ItemImpl) {
        let keyword = i.unsafety.as_ref().map_or(i.impl_token.span, |token| token.span);
        let start = edges::item_start(&i.attrs, None, keyword);
        let span = Span { start, end: edges::bytes(i.brace_token.span.close()).end };
        let extends = self.bare(&i.self_ty);
        let name = match types::path_of(&i.self_ty).and_then(|(_, path)| path.segments.last()) {
            Some(last) => self.ident(&last.ident),
            None => self.sym(""),
        };
        let mut bases = Vec::new();
        if let Some((path, _)) = &i.trait_ {
            bases.push(self.path(None, path));
        }
        let head = edges::bytes(i.self_ty.span());
        let outline = Outline { name, bases, extends: Some(extends), attrs: &i.attrs, fields: Vec::new(), span, head };
        // An `impl` binds no name, so nothing is defined here.
        self.class_body(outline, |lower, class| {
            for item in &i.items {
                lower.member_item(item, class);
            }
        });
    }

    fn member_item(&mut self, item: &ImplItem, class: ClassId) {
        match item {
            ImplItem::Fn(f) => {
                let start = edges::item_start(&f.attrs, Some(&f.vis), signature_start(&f.sig));
                self.signature(&f.attrs, &f.sig, &f.block, start, Some(class));
            }
            ImplItem::Const(c) => {
                let span = self.item_span(&c.attrs, &c.vis, c.const_token.span, c.semi_token.span);
                self.constant(&c.ident, &c.ty, &c.expr, span);
            }
            ImplItem::Type(t) => {
                let span = self.item_span(&t.attrs, &t.vis, t.type_token.span, t.semi_token.span);
                self.alias(&t.ident, &t.ty, span);
            }
            ImplItem::Macro(m) => self.member_macro(&m.mac, class),
            ImplItem::Verbatim(tokens) => self.unread(tokens),
            other => self.builder.gap(edges::bytes(other.span()), Why::Syntax),
        }
    }

    fn member_macro(&mut self, mac: &syn::Macro, class: ClassId) {
        match grammar::members(mac.tokens.clone()) {
            Some(members) if !members.is_empty() => {
                for member in &members {
                    self.member_item(member, class);
                }
            }
            _ => self.macro_effect(mac),
        }
    }
}

fn is_public(vis: &Visibility) -> bool {
    !matches!(vis, Visibility::Inherited)
}

/// The first token of a signature.
fn signature_start(sig: &Signature) -> proc_macro2::Span {
    let safety = match &sig.safety {
        syn::Safety::Unsafe(token) => Some(token.span),
        syn::Safety::Safe(token) => Some(token.span),
        _ => None,
    };
    let constness = sig.constness.as_ref().map(|token| token.span);
    let asyncness = sig.asyncness.as_ref().map(|token| token.span);
    let abi = sig.abi.as_ref().map(|abi| abi.extern_token.span);
    constness.or(asyncness).or(safety).or(abi).unwrap_or(sig.fn_token.span)
}
