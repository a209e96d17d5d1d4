package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// tenant is the one organisation of this application.
const tenant = "acme"

// userTypes lists the user types in the order of the pages, which have the words for them from the
// files of texts.
var userTypes = [...]string{"owner", "manager", "employee"}

const ownerType = "owner"

// account is one account of a user. An address with one password may have several.
type account struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Username string `json:"-"`
	Email    string `json:"-"`
	// Shared reports whether the address has other accounts. Pages and authenticator apps then
	// have the username as well, which is the same in every language.
	Shared    bool `json:"-"`
	Confirmed bool `json:"-"`
	Enrolled  bool `json:"-"`
	login     int64
	demo      string
	// changes counts the changes of the password. A session stores the number that it began
	// with, and ends when the number changes.
	changes    int64
	mustChange bool
}

// subject returns the account as a user of secondgate.
func (a *account) subject() mfa.User {
	label := a.Email
	if a.Shared {
		label += " (" + a.Username + ")"
	}
	return mfa.User{ID: a.ID, Tenant: tenant, UserType: a.Type, Account: label,
		Email: a.Email, EmailVerified: a.Confirmed, Enrolled: a.Enrolled}
}

// Initial returns the letter that pages show in place of a picture.
func (a *account) Initial() string { return initial(a.Name) }

// initial returns the first character of a name with the marks that belong to it.
func initial(name string) string {
	first := ""
	for _, r := range name {
		if first != "" && !unicode.Is(unicode.M, r) {
			break
		}
		first += string(r)
	}
	return strings.ToUpper(first)
}

// demoChanged replaces a demonstration password that a user has changed. Not even a demonstration
// shows the new one.
const demoChanged = "-"

// DemoPassword returns the password of a demonstration account, which is no secret, or "".
func (a *account) DemoPassword() string {
	if a.demo == demoChanged {
		return ""
	}
	return a.demo
}

var errNoUser = errors.New("there is no such user")

// users reads and writes the application's users: logins, which are an address and a password,
// and their accounts.
type users struct{ db *sql.DB }

const selectAccounts = `SELECT a.id, a.type, a.name, a.username, l.email, a.email_confirmed,
	a.enrolled, a.login, a.demo_password, coalesce(c.changes, 0), coalesce(c.must_change, 0) <> 0,
	(SELECT count(*) FROM accounts o WHERE o.login = a.login) > 1
	FROM accounts a JOIN logins l ON l.id = a.login LEFT JOIN password_changes c ON c.login =
	a.login `

const byType = `ORDER BY CASE a.type WHEN 'owner' THEN 0 WHEN 'manager' THEN 1 ELSE 2 END, a.name`

func (u users) query(ctx context.Context, where string, args ...any) (list []account, err error) {
	rows, err := u.db.QueryContext(ctx, selectAccounts+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a account
		if err := rows.Scan(&a.ID, &a.Type, &a.Name, &a.Username, &a.Email, &a.Confirmed,
			&a.Enrolled, &a.login, &a.demo, &a.changes, &a.mustChange, &a.Shared); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

func (u users) one(ctx context.Context, where string, args ...any) (*account, error) {
	list, err := u.query(ctx, where, args...)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, errNoUser
	}
	return &list[0], nil
}

func (u users) byID(ctx context.Context, id string) (*account, error) {
	return u.one(ctx, `WHERE a.id = ?`, id)
}

func (u users) byUsername(ctx context.Context, name string) (*account, error) {
	return u.one(ctx, `WHERE a.username = ?`, name)
}

// byLogin returns the accounts of a login, the one with the username first.
func (u users) byLogin(ctx context.Context, login int64, name string) ([]account, error) {
	return u.query(ctx, `WHERE a.login = ? ORDER BY a.username <> ?, a.type`, login, name)
}

// all returns all accounts: owners, managers and employees, each by name.
func (u users) all(ctx context.Context) ([]account, error) {
	return u.query(ctx, byType)
}

// demonstrators returns the users that the demonstration shows on its sign-in page: all but those
// for examples/load, of whom there may be a million.
func (u users) demonstrators(ctx context.Context) ([]account, error) {
	return u.query(ctx, `WHERE a.demo_password <> '' AND a.username NOT LIKE ? `+byType,
		crowd+"%")
}

// login finds a login by its address or by the username of one of its accounts. It returns its
// password hash, how often that was changed, and until when an administrator's is valid.
func (u users) login(
	ctx context.Context, name string,
) (id int64, hash string, changes int64, until time.Time, err error) {
	var ms int64
	err = u.db.QueryRowContext(ctx, `SELECT l.id, l.password, coalesce(c.changes, 0),
		coalesce(c.must_change, 0) FROM logins l LEFT JOIN password_changes c ON c.login = l.id
		WHERE l.email = ?1 OR l.id IN (SELECT login FROM accounts WHERE username = ?1)`,
		strings.TrimSpace(name)).Scan(&id, &hash, &changes, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", 0, until, errNoUser
	}
	if ms > 1 { // 1: set by an earlier version, without an end
		until = time.UnixMilli(ms)
	}
	return id, hash, changes, until, err
}

// password returns the hash of an account's login.
func (u users) password(ctx context.Context, a *account) (hash string, err error) {
	err = u.db.QueryRowContext(ctx, `SELECT password FROM logins WHERE id = ?`, a.login).Scan(&hash)
	return hash, err
}

// setAddress stores the verified address of an account. Other accounts of the login keep theirs:
// their users' proofs are not this one's, so this account gets a login of its own. An address that
// the account has is stored already.
func (u users) setAddress(ctx context.Context, a *account, address string) error {
	tx, err := u.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var login int64
	var taken, accounts int
	err = tx.QueryRowContext(ctx, `SELECT a.login, (SELECT count(*) FROM logins WHERE email = ?
		AND id <> a.login), (SELECT count(*) FROM accounts b WHERE b.login = a.login)
		FROM accounts a WHERE a.id = ?`, address, a.ID).Scan(&login, &taken, &accounts)
	if err != nil {
		return err
	}
	if taken > 0 {
		return errAddressTaken
	}
	if before := login; accounts > 1 {
		err = tx.QueryRowContext(ctx, `INSERT INTO logins (email, password)
			SELECT ?, password FROM logins WHERE id = ? RETURNING id`, address,
			before).Scan(&login)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO password_changes (login, changes, must_change)
			SELECT ?, changes, must_change FROM password_changes WHERE login = ?`, login,
			before); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE logins SET email = ? WHERE id = ?`, address,
		login); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET login = ?, email_confirmed = 1
		WHERE id = ?`, login, a.ID); err != nil {
		return err
	}
	return tx.Commit()
}

// enrolled stores that a user has a record. If the record is ever missing, secondgate then refuses
// the user, instead of letting an attacker who knows the password enrol anew.
func (u users) enrolled(ctx context.Context, id string) error {
	_, err := u.db.ExecContext(ctx,
		`UPDATE accounts SET enrolled = 1 WHERE id = ? AND enrolled = 0`, id)
	return err
}

// newUser is a user to add: an address, a password, and an account for each type.
type newUser struct {
	email, password, name string
	accounts              []account // Username and Type
	demo                  bool
	unverified            bool // the address
}

// add adds users, all or none.
func (u users) add(ctx context.Context, pw *password.Hasher, list []newUser) error {
	hashes := make([]string, len(list))
	for i, n := range list { // before the transaction, during which no other request writes
		if i > 0 && n.demo && n.password == list[i-1].password {
			hashes[i] = hashes[i-1] // of loadUsers; no other users share a hash
			continue
		}
		var err error
		if hashes[i], err = pw.Hash(ctx, secret.New(n.password)); err != nil {
			return err
		}
	}
	tx, err := u.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for i, n := range list {
		res, err := tx.ExecContext(ctx, `INSERT INTO logins (email, password) VALUES (?, ?)`,
			n.email, hashes[i])
		if err != nil {
			return err
		}
		login, err := res.LastInsertId()
		if err != nil {
			return err
		}
		shown := ""
		if n.demo {
			shown = n.password
		}
		for _, a := range n.accounts {
			if _, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, login, username, name, type,
				email_confirmed, demo_password)
				VALUES (?, ?, ?, ?, ?, ?,
				?)`, "acct-"+a.Username, login, a.Username, n.name, a.Type, !n.unverified,
				shown); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// count returns the number of accounts, and how many of them are demonstration users.
func (u users) count(ctx context.Context) (all, demo int, err error) {
	err = u.db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(demo_password <> ''), 0) FROM
		accounts`).Scan(&all, &demo)
	return all, demo, err
}

// seed adds the demonstration users to an empty database.
func (u users) seed(ctx context.Context, pw *password.Hasher, more int) error {
	all, demo, err := u.count(ctx)
	if err != nil {
		return err
	}
	if all != demo {
		return errors.New("the data directory holds users who are not demonstration users, and " +
			"demonstration mode would show their codes to anyone; start with -demo=false, or " +
			"with another -data directory")
	}
	if all > 0 {
		return nil
	}
	return u.add(ctx, pw, append(seededUsers(), loadUsers(more)...))
}

// crowd begins the username of each user for examples/load.
const crowd = "crowd-"

// loadUsers returns users for examples/load, who share one password.
func loadUsers(n int) (list []newUser) {
	for i := range n {
		username := fmt.Sprintf("%s%06d", crowd, i+1)
		list = append(list, newUser{email: username + "@acme.example",
			password: "crowd-demo-password",
			name:     username,
			accounts: []account{{Username: username, Type: "employee"}}, demo: true})
	}
	return list
}

func seededUsers() (list []newUser) {
	for _, n := range []struct{ username, name, typ string }{
		{"olivia", "Olivia Berg", "owner"},
		{"marcus", "Marcus Lind", "manager"},
		{"mei", "Mei Tanaka", "manager"},
		{"anna", "Anna de Vries", "employee"},
		{"ben", "Ben Carter", "employee"},
		{"carla", "Carla Rossi", "employee"},
		{"david", "David Okafor", "employee"},
		{"emma", "Emma Schulz", "employee"},
		{"farid", "Farid Haddad", "employee"},
		{"greta", "Greta Nilsen", "employee"},
		{"hugo", "Hugo Martin", "employee"},
		{"ines", "Inês Costa", "employee"},
		{"jonas", "Jonas Weber", "employee"},
		{"kofi", "Kofi Mensah", "employee"},
	} {
		list = append(list, demoUser(n.username, n.name,
			account{Username: n.username, Type: n.typ}))
	}
	// Two who have not verified their address yet.
	for _, username := range []string{"lena", "milan"} {
		n := demoUser(username, map[string]string{"lena": "Lena Fischer",
			"milan": "Milan Novák"}[username], account{Username: username, Type: "employee"})
		n.unverified = true
		list = append(list, n)
	}
	// One address with two accounts.
	return append(list, demoUser("robin", "Robin Jansen",
		account{Username: "robin.manager", Type: "manager"}, account{Username: "robin.employee",
			Type: "employee"}))
}

func demoUser(username, name string, accounts ...account) newUser {
	return newUser{email: username + "@acme.example", password: username + "-demo-password",
		name:     name,
		accounts: accounts, demo: true}
}

// addOwner adds the first owner outside demonstration mode.
func (u users) addOwner(ctx context.Context, pw *password.Hasher, email, chosen string) error {
	if at := strings.LastIndexByte(email, '@'); at < 1 || at == len(email)-1 || len(email) > 254 {
		return errors.New("ACME_OWNER_EMAIL is not an e-mail address")
	}
	rules := passwordRules()
	if err := rules.Check(ctx, secret.New(chosen), password.Account{Email: email}); err != nil {
		var problem *factor.Problem
		if errors.As(err, &problem) {
			return fmt.Errorf("ACME_OWNER_PASSWORD is not accepted; %s", problem.Detail)
		}
		return err
	}
	err := u.add(ctx, pw, []newUser{{email: email, password: chosen, name: email,
		accounts: []account{{Username: "owner", Type: ownerType}}}})
	if err != nil {
		return fmt.Errorf("add the owner: %w", err)
	}
	return nil
}
