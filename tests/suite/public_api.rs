//! What plugins may rely on: the public items of tokaki-core, as a list that a change of them changes.
//!
//! In core every `pub` is reachable from outside (the lint `unreachable_pub` sees to that), so all there is to do is to
//! read its sources.

use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, Visibility};

use crate::support::root;

/// Items of a file and of the modules below it, one a line, under the path of their module.
fn list(file: &Path, module: &str, found: &mut Vec<String>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let folder = if ["mod.rs", "lib.rs"].iter().any(|name| file.ends_with(name)) {
        file.parent().expect("a file lies in a folder").to_owned()
    } else {
        file.with_extension("")
    };
    for item in syn::parse_file(&text).expect("Rust").items {
        if let Item::Mod(inner) = &item {
            if inner.content.is_none() && !is_hidden(&inner.attrs) {
                let name = inner.ident.to_string();
                let beside = folder.join(format!("{name}.rs"));
                let file = if beside.is_file() { beside } else { folder.join(&name).join("mod.rs") };
                list(&file, &format!("{module}::{name}"), found);
            }
            continue;
        }
        found.extend(lines(&item).into_iter().map(|line| format!("{module} {line}")));
    }
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let texts = attributes.iter().map(|attribute| attribute.to_token_stream().to_string());
    texts.into_iter().any(|text| text.contains("cfg (test)") || text.contains("doc (hidden)"))
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn shown(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// What of an item others may use.
fn lines(item: &Item) -> Vec<String> {
    match item {
        Item::Fn(item) if is_public(&item.vis) => vec![shown(&item.sig)],
        Item::Const(item) if is_public(&item.vis) => vec![format!("const {}: {}", item.ident, shown(&item.ty))],
        Item::Static(item) if is_public(&item.vis) => vec![format!("static {}: {}", item.ident, shown(&item.ty))],
        Item::Type(item) if is_public(&item.vis) => vec![format!("type {} = {}", item.ident, shown(&item.ty))],
        Item::Use(item) if is_public(&item.vis) => vec![format!("use {}", shown(&item.tree))],
        Item::Macro(item) => item.ident.iter().map(|name| format!("macro {name}!")).collect(),
        Item::Struct(item) if is_public(&item.vis) => {
            let head = format!("struct {}{}", item.ident, shown(&item.generics));
            let fields = item.fields.iter().filter(|field| is_public(&field.vis));
            let name = |field: &syn::Field| field.ident.as_ref().map_or_else(|| "0".to_owned(), ToString::to_string);
            let fields = fields.map(|field| format!("{}.{}: {}", item.ident, name(field), shown(&field.ty)));
            std::iter::once(head.clone()).chain(fields).collect()
        }
        Item::Enum(item) if is_public(&item.vis) => {
            let variant = |variant: &syn::Variant| match &variant.fields {
                Fields::Unit => format!("{}::{}", item.ident, variant.ident),
                fields => format!("{}::{} {}", item.ident, variant.ident, shown(fields)),
            };
            let head = format!("enum {}{}", item.ident, shown(&item.generics));
            std::iter::once(head).chain(item.variants.iter().map(variant)).collect()
        }
        Item::Trait(item) if is_public(&item.vis) => {
            let head = format!("trait {}{} : {}", item.ident, shown(&item.generics), shown(&item.supertraits));
            let inner = item.items.iter().map(|inner| match inner {
                syn::TraitItem::Fn(method) => {
                    let optional = if method.default.is_some() { " (provided)" } else { "" };
                    format!("{}::{}{optional}", item.ident, shown(&method.sig))
                }
                syn::TraitItem::Type(kind) => format!("{}::type {}: {}", item.ident, kind.ident, shown(&kind.bounds)),
                syn::TraitItem::Const(value) => format!("{}::const {}: {}", item.ident, value.ident, shown(&value.ty)),
                _ => format!("{}::…", item.ident),
            });
            std::iter::once(head).chain(inner).collect()
        }
        Item::Impl(item) => {
            let of = shown(&item.self_ty);
            match &item.trait_ {
                Some((_, of_trait, _)) => vec![format!("impl {} for {of}", shown(of_trait))],
                None => {
                    let methods = item.items.iter().filter_map(|inner| match inner {
                        ImplItem::Fn(method) if is_public(&method.vis) => Some(format!("{of}::{}", shown(&method.sig))),
                        ImplItem::Const(value) if is_public(&value.vis) => {
                            Some(format!("{of}::const {}: {}", value.ident, shown(&value.ty)))
                        }
                        _ => None,
                    });
                    methods.collect()
                }
            }
        }
        _ => Vec::new(),
    }
}

#[test]
fn what_plugins_rely_on_changes_only_on_purpose() {
    let mut found = Vec::new();
    list(&root().join("crates/core/src/lib.rs"), "core", &mut found);
    found.sort();
    // If you meant it: INSTA_UPDATE=always, an entry in CHANGELOG.md, and see docs/versions.md.
    insta::assert_snapshot!("public_api", found.join("\n"));
}
