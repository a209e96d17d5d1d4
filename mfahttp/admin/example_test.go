package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// listOf is the list of users of an application, as its users table has it.
type listOf struct{ users []admin.Entry }

// Search reads the next users from the table, with LIMIT and an index over what it sorts by.
func (l listOf) Search(_ context.Context, q admin.Query) (admin.Page, error) {
	var p admin.Page
	for _, e := range l.users {
		if e.User.Tenant == q.Tenant && e.User.ID > q.Cursor && len(p.Users) < q.Limit {
			p.Users = append(p.Users, e)
		}
	}
	if len(p.Users) == q.Limit {
		p.Next = p.Users[q.Limit-1].User.ID
	}
	return p, nil
}

func (l listOf) User(_ context.Context, named mfa.User) (admin.Entry, error) {
	for _, e := range l.users {
		if e.User.Tenant == named.Tenant && e.User.ID == named.ID {
			return e, nil
		}
	}
	return admin.Entry{}, admin.ErrNoUser
}

// mount adds the administration to an application, which does not serve after an error.
func mount(mux *http.ServeMux, h *mfahttp.Handler, m *mfa.Manager, users listOf) error {
	adm, err := admin.New(admin.Config{Handler: h, Manager: m, Users: users})
	mux.Handle("/admin/mfa/", adm)
	return err
}

// authorize is mfa.Config.Authorize of an application with several tenants. An owner administers
// the tenant that they belong to, and the report of all tenants is for a program.
func authorize(_ context.Context, a mfa.AdminAction) error {
	switch {
	case a.System:
		return nil
	case a.ActorTenant != a.Tenant || a.Tenant == "" || !isOwner(a.ActorTenant, a.Actor):
		return errors.New("only an owner of this tenant may do this")
	}
	return nil
}

func isOwner(string, string) bool { return true }

func ExampleNew() {
	_, err := admin.New(admin.Config{})
	fmt.Println(err)
	fmt.Println(mount(http.NewServeMux(), nil, nil, listOf{}) != nil)
	fmt.Println(authorize(context.Background(), mfa.AdminAction{Actor: "olivia",
		ActorTenant: "acme", Tenant: "other", Name: "reset"}))
	// Output:
	// admin: Config.Handler is nil: give it the Handler that mfahttp.New returned
	// true
	// only an owner of this tenant may do this
}
