package ui

import (
	"html/template"
	"reflect"
)

// Views returns the types of the pages by the names of their templates.
func Views() map[string]reflect.Type { return views }

// Funcs returns the functions of the templates.
func (r *Renderer) Funcs() template.FuncMap { return r.funcs(&catalog{}) }

// OwnEvents returns the names of the events that users see of their own.
func OwnEvents() (names []string) {
	for name, w := range eventWords {
		if w.own {
			names = append(names, name)
		}
	}
	return names
}

// FieldNames returns the names that a template can use on a type.
func FieldNames(t reflect.Type) []string { return fieldNames(t) }

// TypeName returns the name of a type in errors.
func TypeName(t reflect.Type) string { return typeName(t) }

// Forms returns the inputs of the forms that a page must have, by page and action.
func Forms() map[string]map[string][]string {
	all := map[string]map[string][]string{}
	for _, n := range needs() {
		name := n.page.name()
		if all[name] == nil {
			all[name] = map[string][]string{}
		}
		for _, f := range n.forms {
			all[name][f.action] = append(all[name][f.action], f.inputs...)
		}
	}
	return all
}

// StaticNames returns the names of the static files.
func (r *Renderer) StaticNames() []string { return sortedKeys(r.static.content) }

// Prepared returns the languages whose pages were prepared.
func (r *Renderer) Prepared() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sortedKeys(r.pages)
}
