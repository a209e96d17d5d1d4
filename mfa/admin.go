package mfa

// Admin is an administrator, or a program of the application, who acts on others. Every act
// needs the actor's own fresh proof, and the permission of Config.Authorize; it is an event that
// names the actor and the reason. An Admin is a value: making one costs nothing.
type Admin struct {
	m      *Manager
	actor  Actor
	reason string
}

// Admin returns the handle for an actor who acts on others. The reason goes into the events, at
// most 1024 bytes; it may be empty.
func (m *Manager) Admin(actor Actor, reason string) Admin { return Admin{m, actor, reason} }

// Actor returns the actor of the handle. The zero Admin has the zero Actor.
func (a Admin) Actor() Actor { return a.actor }

// Reason returns the reason that the actor gave.
func (a Admin) Reason() string { return a.reason }
